using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Costs;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>Random search and the grid: each architecture as its plain model would be trained, and all within the budget of a search.</summary>
[TestClass]
public sealed class StandaloneTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void The_grid_trains_each_architecture_as_its_plain_model_and_keeps_the_weights_of_the_best() => CheckAlone(task => new GridSearch(task));

    [TestMethod]
    public void The_mutant_that_goes_on_with_the_weights_of_the_last_architecture_is_seen() =>
        Assert.Throws<AssertFailedException>(() => CheckAlone(task => new CarriesOver(task)));

    [TestMethod]
    [DataRow(20, null, 4), DataRow(7, 3, 3), DataRow(5, 9, 5), DataRow(30, 30, 6)]
    public void Random_search_shares_the_epochs_among_architectures_of_its_space(int epochs, int? samples, int expected)
    {
        var ear = new SmallTask();
        using var trainer = new RandomSearch(SmallTask.Of(Net(), new() { Epochs = epochs, BatchSize = 16, Samples = samples }, ear));
        var paths = new List<Architecture>();
        ear.AfterStep = () => paths.Add(trainer.Path);
        trainer.Fit();
        Assert.HasCount(epochs * 2, paths, "As many weight steps as a search over the supernet.");
        var turns = paths.GroupBy(p => p).Select(g => g.Count() / 2).ToList();
        Assert.HasCount(expected, turns);
        Assert.IsLessThanOrEqualTo(1, turns.Max() - turns.Min());
        // Each starts at the first learning rate.
        Assert.AreEqual(expected, ear.Epochs.Count(e => e.Lr == 0.025));
        Assert.AreEqual(ear.Epochs.Select((e, i) => (e.Metric, Path: paths[2 * i])).GroupBy(e => e.Path).MinBy(g => g.Last().Metric)!.Key, trainer.Export());
    }

    [TestMethod]
    public void The_baseline_is_drawn_by_the_seed_and_is_not_what_random_search_has_trained()
    {
        var baseline = Baseline(seed: 1);
        Assert.HasCount(6, baseline.Distinct());
        CollectionAssert.AreEqual(baseline, Baseline(seed: 1));
        CollectionAssert.AreNotEquivalent(baseline, Baseline(seed: 2));
        var searched = Searched(seed: 1);
        CollectionAssert.AreEqual(searched, Searched(seed: 1));
        CollectionAssert.AreNotEquivalent(searched, Searched(seed: 2));
        CollectionAssert.AreNotEquivalent(baseline, searched);

        static List<Architecture> Baseline(int seed) => [.. RandomSearch.Baseline(Task(seed, new()), 6)];

        static List<Architecture> Searched(int seed)
        {
            var ear = new SmallTask();
            using var trainer = new RandomSearch(Task(seed, ear));
            var paths = new List<Architecture>();
            ear.AfterStep = () => paths.Add(trainer.Path);
            trainer.Fit();
            return paths;
        }

        // 625 architectures, of which a search takes six, one a step.
        static TrainingTask Task(int seed, SmallTask ear) => SmallTask.Of(CostNets.Row(4), new() { Epochs = 6, Samples = 6, Seed = seed }, ear);
    }

    [TestMethod]
    public void The_grid_counts_networks_and_not_what_is_decided_for_nothing()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var inner = net.LayerChoice("inner", null, net.Op("Tanh", x), net.Op("Relu", x), net.Op("Neg", x));
        var model = net.Build((net.LayerChoice("outer", null, net.Linear("l", inner, 4, 4), x), [N, 4]));
        var ear = new SmallTask();
        using var trainer = new GridSearch(SmallTask.Of(model, new() { Epochs = 4, BatchSize = 32 }, ear));
        trainer.Fit();
        Assert.HasCount(4, trainer.Finalists(10));
    }

    [TestMethod]
    public void A_space_that_is_too_large_is_refused_with_its_size()
    {
        var message = Assert.ThrowsExactly<ChoiceException>(() => new GridSearch(SmallTask.Of(Net(), new() { Epochs = 5 }))).Message;
        Assert.Contains("the space has 6", message);
        Assert.Contains("--epochs is 5", message);
        Assert.DoesNotContain("budget", message);

        // One of b's candidates is a skip: three are left.
        Assert.Contains("more of them within the budget", Assert.ThrowsExactly<ChoiceException>(() => new GridSearch(SmallTask.Of(Net(), new() { Epochs = 2, MaxSkips = 0 }))).Message);
        using var three = new GridSearch(SmallTask.Of(Net(), new() { Epochs = 3, MaxSkips = 0 }));
    }

    [TestMethod]
    [DataRow("wild", 8), DataRow("steep", 32)]
    public void An_architecture_that_diverges_ranks_last_and_costs_no_other_its_turn(string kind, int batchSize)
    {
        var options = new SearchOptions { Epochs = 6, BatchSize = batchSize, GradClip = 0, Lr = 0.01 };
        var (calm, alone) = (Search("calm", new()), Search(kind, new()));
        Assert.HasCount(3, calm.Metrics);
        Assert.HasCount(3, alone.Metrics);
        Assert.AreEqual("op=0", alone.Metrics[^1].Architecture);
        Assert.IsTrue(double.IsNaN(alone.Metrics[^1].Metric));
        Assert.StartsWith("op=0 diverged and ranks last: The loss became ", alone.Ear.Notes.Single());
        CollectionAssert.AreEqual(calm.Metrics.Where(m => m.Architecture != "op=0").ToArray(), alone.Metrics.Take(2).ToArray());
        Assert.HasCount(6, alone.Ear.Epochs);

        // Also where it is interrupted before, while or after it diverges.
        var checkpoints = new List<CheckpointState>();
        Search(kind, new(checkpoints.Add) { Pause = TimeSpan.Zero });
        Assert.IsGreaterThanOrEqualTo(6, checkpoints.Count);
        foreach (var checkpoint in checkpoints)
            CollectionAssert.AreEqual(alone.Metrics, Search(kind, new(_ => { }, checkpoint)).Metrics);

        (List<(string Architecture, double Metric)> Metrics, SmallTask Ear) Search(string first, Checkpointer checkpointer)
        {
            var ear = new SmallTask();
            using var trainer = new GridSearch(SmallTask.Of(SmallTask.WildNet(first, "calm"), options, ear, checkpointer: checkpointer));
            trainer.Fit();
            return ([.. trainer.Ranking(3).Select(r => ($"{r.Architecture}", r.Metric))], ear);
        }
    }

    // The reference: plain models cut out, fresh weights, plain SGD, one after another in the order of their turns.
    private static void CheckAlone(Func<TrainingTask, OneShotTrainer> create)
    {
        using var scope = NewDisposeScope();
        var model = Net();
        var options = new SearchOptions { Epochs = 13, BatchSize = 8, Seed = 6, Lr = 0.05 };
        var ear = new SmallTask();
        using var trainer = create(SmallTask.Of(model, options, ear));
        var turns = new List<Architecture>();
        ear.AfterStep = () =>
        {
            if (turns.Count == 0 || !turns[^1].Equals(((SamplingTrainer)trainer).Path))
                turns.Add(((SamplingTrainer)trainer).Path);
        };
        trainer.Fit();
        Assert.HasCount(6, turns.Distinct());
        var (epoch, best, bestTurn, bestState) = (0, double.PositiveInfinity, 0, new Dictionary<string, byte[]>());
        foreach (var (i, architecture) in turns.Index())
        {
            var fresh = model.Clone();
            WeightInitialization.Reset(fresh, new SeededRandom(options.Seed, RandomStreams.InitialWeights, i));
            using var plain = new GraphModule(Pruner.Prune(fresh, architecture));
            using var sgd = options.NewWeightOptimizer(plain.Parameters.Values);
            var epochs = i == 0 ? 3 : 2;
            for (var e = 0; e < epochs; e++, epoch++)
            {
                sgd.LearningRate = Schedule.Cosine(options.Lr, options.EffectiveMinLr(), e, epochs);
                plain.Training = true;
                foreach (var indices in trainer.Task.Training.Shuffled(epoch))
                {
                    var batch = trainer.Task.Training.Load(indices);
                    GradientStep.Apply(trainer.Task.Loss.Of(plain.Forward(batch.Inputs)[0], batch.Label), sgd, options.GradClip, options.Lr, "");
                }
            }

            var (_, metric) = Scoring.Score(plain, plain.Forward, trainer.Task.Validation, trainer.Task.Loss, trainer.Task.Metric());
            Assert.AreEqual(metric, ear.Epochs[epoch - 1].Metric, 1e-5, $"{architecture}");
            if (metric < best)
                (best, bestTurn, bestState) = (metric, i, plain.State.ToDictionary(s => s.Key, s => s.Value.ToTensorData().Bytes.ToArray()));
        }

        Assert.IsLessThan(turns.Count - 1, bestTurn, "The supernet ends with the weights of the last architecture, which are to give way to those of the best.");
        Assert.AreEqual(best, trainer.ValidMetric, 1e-5);
        var written = model.Clone();
        trainer.Supernet.WriteBack(written);
        var winner = Pruner.Prune(written, trainer.Export());
        foreach (var (name, bytes) in bestState)
        {
            var (expected, actual) = (TensorData.FromBytes(ElementType.Float32, winner.Graph.Find(name)!.Initializer!.Dims, bytes).ToDoubles(), winner.Graph.Find(name)!.Initializer!.ToDoubles());
            for (var k = 0; k < expected.Length; k++)
                Assert.AreEqual(expected[k], actual[k], 1e-5, name);
        }
    }

    // 3 · 2 architectures that share what is behind them.
    private static Model Net()
    {
        var net = new NetBuilder(4);
        var x = net.Input("x", N, 4);
        var a = net.LayerChoice("a", null, net.Linear("a0", x, 4, 4), net.BatchNorm("bn", net.Linear("a1", x, 4, 4), 4), net.Op("Tanh", x));
        var b = net.LayerChoice("b", null, net.Linear("b0", a, 4, 4), a);
        return net.Build((net.Linear("head", b, 4, 2), [N, 2]));
    }

    private sealed class CarriesOver(TrainingTask task) : SamplingTrainer(task)
    {
        private readonly List<Architecture> all = [.. OneHot.All(task.Space)];

        protected override double BeginEpoch(SgdOptimizer weights, int epoch)
        {
            var index = epoch < 3 ? 0 : (epoch - 1) / 2;
            if (epoch == 0)
            {
                var fresh = Task.Space.Model.Clone();
                WeightInitialization.Reset(fresh, new SeededRandom(Task.Options.Seed, RandomStreams.InitialWeights, 0));
                using var off = no_grad();
                foreach (var (name, tensor) in Supernet.Module.State)
                    tensor.copy_(fresh.Graph.Find(name)!.Initializer!.ToTorch());
            }

            Path = all[index];
            return SetLearningRate(weights, index == 0 ? epoch : (epoch - 1) % 2, index == 0 ? 3 : 2);
        }

        protected override void Step(Optimizer weights, Batch train, Batch valid) => WeightStep(weights, train);
    }
}
