using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Training;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class SubnetScorerTests
{
    [TestMethod]
    public void A_resumed_search_keeps_the_scores_there_are_and_ends_as_one_that_was_not_stopped()
    {
        var expected = Export(new(), default);
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
                given = state.HasSection("scores") ? state.Section("scores").Names.Count() : 0;
                if (given >= before + 2)
                    stop.Cancel();
            }, newest)
            { Pause = TimeSpan.Zero };
            try
            {
                CollectionAssert.AreEqual(expected, Export(checkpointer, stop.Token));
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

    private static Model Net()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var h = net.LayerChoice("op", ["linear", "tanh", "skip"], net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), net.Op("Tanh", x), x);
        return net.Build((net.Linear("head", net.InputChoice("inputs", 2, "sum", h, x, net.Op("Relu", h)), 4, 3), [Dim.Symbol("N"), 3]));
    }

    private static string[] Export(Checkpointer checkpointer, CancellationToken stop)
    {
        var options = new SearchOptions { Strategy = "spos", Epochs = 1, BatchSize = 8 };
        using var trainer = StrategyCatalog.Create("spos", SmallTask.Of(Net(), options, samples: 16, classes: 3, checkpointer: checkpointer, cancellation: stop));
        trainer.Fit();
        return [.. trainer.Finalists(9).Select(a => a.ToJson())];
    }
}
