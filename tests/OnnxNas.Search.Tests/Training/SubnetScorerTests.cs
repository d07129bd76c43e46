using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Training;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class SubnetScorerTests
{
    [TestMethod]
    [DataRow("scores", 0), DataRow("finalists", 2)]
    public void A_resumed_search_keeps_the_scores_there_are_and_ends_as_one_that_was_not_stopped(string section, int epochs)
    {
        var expected = Export(epochs, new(), default);
        CheckpointState? newest = null;
        var (given, scored) = (0, new List<int>());
        // Stopped again and again, whenever two more architectures have a score.
        while (true)
        {
            using var stop = new CancellationTokenSource();
            var before = given;
            var checkpointer = new Checkpointer(state =>
            {
                newest = state;
                given = state.HasSection(section) ? state.Section(section).Names.Count() : 0;
                if (given >= before + 2)
                    stop.Cancel();
            }, newest)
            { Pause = TimeSpan.Zero };
            try
            {
                CollectionAssert.AreEqual(expected, Export(epochs, checkpointer, stop.Token));
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.IsGreaterThan(before, given);
                scored.Add(given);
            }
        }

        Assert.IsGreaterThanOrEqualTo(2, scored.Count);
    }

    [TestMethod]
    public void A_score_is_that_of_the_plain_model_with_statistics_of_its_own_in_onnx_runtime_and_the_supernet_stays()
    {
        var model = Net();
        using var trainer = StrategyCatalog.Create("spos", SmallTask.Of(model, new() { Strategy = "spos", Epochs = 1, BatchSize = 8, Lr = 0.2 }, samples: 16));
        trainer.Fit();
        var before = Bits();
        var scorer = new SubnetScorer(trainer);
        var written = model.Clone();
        trainer.Supernet.WriteBack(written);
        var samples = SmallTask.Data(model, 16, 2);
        int[] all = [.. Enumerable.Range(0, 16)];
        var (inputs, target) = (samples.Batch("x", all, ElementType.Float32), samples.Labels(all, ElementType.Float32).ToDoubles());
        foreach (var architecture in OneHot.All(trainer.Task.Space))
        {
            Assert.AreEqual(Loss(architecture, isRecalibrated: true), scorer.Score(architecture).Loss, 1e-5, $"{architecture}");
            if (architecture["op"][0] == 0)
                Assert.IsGreaterThan(1e-3, Math.Abs(Loss(architecture, isRecalibrated: false) - scorer.Score(architecture).Loss), "The mutant that scores with the supernet's statistics passes.");
        }

        CollectionAssert.AreEqual(before, Bits());

        byte[] Bits() => [.. trainer.Supernet.Module.State.SelectMany(s => s.Value.ToTensorData().Bytes.ToArray())];

        double Loss(Architecture architecture, bool isRecalibrated)
        {
            var plain = Pruner.Prune(written, architecture);
            if (isRecalibrated)
                BatchNormRecalibration.Run(plain, trainer.Task.Training, TorchSharp.torch.CPU, trainer.Task.Options.RecalibrationBatches);
            Pruner.Finish(plain);
            using var session = new OnnxSession(OnnxFile.ToBytes(plain), new() { Threads = 1 });
            var output = session.Run(new Dictionary<string, TensorData> { ["x"] = inputs })[0].ToDoubles();
            return output.Zip(target).Average(p => Math.Pow(p.First - p.Second, 2));
        }
    }

    [TestMethod]
    public void A_finalist_is_trained_alone_from_the_weights_of_the_supernet_whatever_was_scored_before_it()
    {
        var model = Net();
        using var trainer = StrategyCatalog.Create("spos", SmallTask.Of(model, new() { Strategy = "spos", Epochs = 1, BatchSize = 8, Lr = 0.1, FinalistEpochs = 3 }, samples: 32));
        trainer.Fit();
        var written = model.Clone();
        trainer.Supernet.WriteBack(written);
        var (task, samples) = (trainer.Task, SmallTask.Data(model, 32, 2));
        int[] all = [.. Enumerable.Range(0, 32)];
        var (inputs, target) = (samples.Batch("x", all, ElementType.Float32), samples.Labels(all, ElementType.Float32).ToDoubles());
        var ranking = trainer.Ranking(4);
        Assert.HasCount(4, ranking);
        CollectionAssert.AreEqual(ranking.Select(r => r.Metric).Order().ToArray(), ranking.Select(r => r.Metric).ToArray());
        foreach (var (architecture, metric) in ranking)
        {
            var alone = Pruner.Prune(written, architecture);
            new WinnerTrainer(task.Options, task.Loss, task.Metric, new SmallTask(), TorchSharp.torch.CPU, default).Fit(alone, SmallTask.Data(model, 32, 1), 3);
            BatchNormRecalibration.Run(alone, task.Training, TorchSharp.torch.CPU, task.Options.RecalibrationBatches);
            Pruner.Finish(alone);
            using var session = new OnnxSession(OnnxFile.ToBytes(alone), new() { Threads = 1 });
            var output = session.Run(new Dictionary<string, TensorData> { ["x"] = inputs })[0].ToDoubles();
            Assert.AreEqual(output.Zip(target).Average(p => Math.Pow(p.First - p.Second, 2)), metric, 1e-5, $"{architecture}");
        }
    }

    [TestMethod]
    public void A_finalist_whose_weights_have_not_learnt_wins_only_if_it_is_trained_on()
    {
        Assert.AreEqual(0, Winner(finalistEpochs: 0));
        Assert.AreEqual(1, Winner(finalistEpochs: 20));

        // Only what the second candidate sees tells the target, but its weights start with the wrong sign.
        static int Winner(int finalistEpochs)
        {
            var net = new NetBuilder();
            var (x, noise) = (net.Input("x", Dim.Symbol("N"), 2), net.Input("noise", Dim.Symbol("N"), 2));
            var model = net.Build((net.LayerChoice("op", ["blind", "seeing"], net.Linear("a", noise, 2, 2), net.Op("MatMul", x, net.Constant("b", [2, 2], i => i % 3 == 0 ? -1 : 0))), [Dim.Symbol("N"), 2]));
            var options = new SearchOptions { Epochs = 5, BatchSize = 8, Lr = 0.1, FinalistEpochs = finalistEpochs };
            using var trainer = new OneOnly(new(SearchSpace.Read(model), Data(1), Data(2), Loss.Named("mse"), () => MetricSet.Default("mse"), options, new SmallTask(), TorchSharp.torch.CPU, default));
            trainer.Fit();
            return trainer.Ranking(2)[0].Architecture["op"][0];
        }

        static Dataset Data(long seed)
        {
            var x = TestTensors.Normal(seed, 64, 2);
            return Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = x, ["noise"] = TestTensors.Normal(seed + 10, 64, 2) }, TensorData.Create<float>([64, 2], [.. x.ToDoubles().Select(v => (float)(3 * v))]));
        }
    }

    [TestMethod]
    public void A_finalist_that_fails_ranks_last_and_costs_no_other()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        // One row, whatever the batch, which no shape rule can know.
        var row = net.Op("Compress", [x, net.Graph.AddConstant("pick", TensorData.Vector(true))], Attr.Of("axis", 0L));
        var model = net.Build((net.LayerChoice("op", null, row, net.Linear("a", x, 4, 4)), [Dim.Symbol("N"), 4]));
        var ear = new SmallTask();
        using var trainer = new OneOnly(SmallTask.Of(model, new() { Epochs = 1, BatchSize = 8 }, ear), candidate: 1);
        trainer.Fit();
        var scorer = new SubnetScorer(trainer);
        var all = OneHot.All(trainer.Task.Space).Select(a => scorer.Score(a).Metric).ToList();
        Assert.IsTrue(double.IsNaN(all[0]));
        Assert.IsTrue(double.IsFinite(all[1]));
        Assert.StartsWith("op=0 fails and ranks last: ", ear.Notes.Single());
    }

    [TestMethod]
    public void A_finalist_that_diverges_ranks_last_and_a_search_whose_finalists_all_do_ends()
    {
        var ear = new SmallTask();
        using (var trainer = Trained(SmallTask.WildNet("wild", "calm"), ear))
        {
            var ranking = trainer.Ranking(2);
            CollectionAssert.AreEqual((int[])[1, 0], ranking.Select(r => r.Architecture["op"][0]).ToArray());
            Assert.IsTrue(double.IsFinite(ranking[0].Metric));
            Assert.IsTrue(double.IsNaN(ranking[1].Metric));
            Assert.StartsWith("finalist_1 diverged and ranks last: The loss became ", ear.Notes.Single());
        }

        using var hopeless = Trained(SmallTask.WildNet("wild", "wild"), ear);
        Assert.Contains("All finalists (2) diverged", Assert.ThrowsExactly<TrainingException>(() => hopeless.Ranking(2)).Message);

        static OneOnly Trained(Model model, SmallTask ear)
        {
            var trainer = new OneOnly(SmallTask.Of(model, new() { Epochs = 1, BatchSize = 8, FinalistEpochs = 2 }, ear), candidate: 2);
            trainer.Fit();
            return trainer;
        }
    }

    private static Model Net()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var h = net.LayerChoice("op", ["linear", "tanh", "skip"], net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), net.Op("Tanh", x), x);
        return net.Build((net.Linear("head", net.InputChoice("inputs", 2, "sum", h, x, net.Op("Relu", h)), 4, 3), [Dim.Symbol("N"), 3]));
    }

    private static string[] Export(int finalistEpochs, Checkpointer checkpointer, CancellationToken stop)
    {
        var options = new SearchOptions { Strategy = "spos", Epochs = 1, BatchSize = 8, FinalistEpochs = finalistEpochs };
        using var trainer = StrategyCatalog.Create("spos", SmallTask.Of(Net(), options, samples: 16, classes: 3, checkpointer: checkpointer, cancellation: stop));
        trainer.Fit();
        return [.. trainer.Ranking(9).Select(r => FormattableString.Invariant($"{r.Architecture.ToJson()} {r.Metric:R}"))];
    }

    /// <summary>Trains one candidate alone; the first ones are finalists.</summary>
    private sealed class OneOnly : OneShotTrainer
    {
        public OneOnly(TrainingTask task, int candidate = 0) : base(task) => ReplaceLayerChoice(choice => new MixtureModule(choice, () => new([candidate])));

        public override void Fit()
        {
            using var weights = Task.Options.NewWeightOptimizer(Supernet.Weights);
            foreach (var epoch in Epochs(weights))
            {
                foreach (var (train, _) in Task.Batches(epoch))
                    WeightStep(weights, train);
            }
        }

        public override Architecture Export() => Finalists(1)[0];

        public override IReadOnlyList<Architecture> Finalists(int count) => [.. OneHot.All(Task.Space).Take(count)];
    }
}
