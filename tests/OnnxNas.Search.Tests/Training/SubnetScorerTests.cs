using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Strategies;
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

    private static string[] Export(Checkpointer checkpointer, CancellationToken stop)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var h = net.LayerChoice("op", ["linear", "tanh", "skip"], net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), net.Op("Tanh", x), x);
        var i = net.InputChoice("inputs", 2, "sum", h, x, net.Op("Relu", h));
        var model = net.Build((net.Linear("head", i, 4, 3), [Dim.Symbol("N"), 3]));
        var options = new SearchOptions { Strategy = "spos", Epochs = 1, BatchSize = 8 };
        using var trainer = StrategyCatalog.Create("spos", SmallTask.Of(model, options, samples: 16, classes: 3, checkpointer: checkpointer, cancellation: stop));
        trainer.Fit();
        return [.. trainer.Finalists(9).Select(a => a.ToJson())];
    }
}
