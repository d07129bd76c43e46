using System.Diagnostics;
using OnnxNas.Ir;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

/// <summary>Nothing that libtorch still reads may be left to the garbage collector.</summary>
[TestClass]
public sealed class CollectionStormTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly SearchOptions Options = new() { Epochs = 4, BatchSize = 8, GradClip = 0.1 };

    [TestMethod]
    public void A_search_outlives_collections_at_any_time()
    {
        var model = Net(choices: true);
        Repeat(() =>
        {
            using var darts = new Darts(SmallTask.Of(model, Options, samples: 64, classes: 3));
            darts.Fit();
            Assert.IsTrue(double.IsFinite(darts.ValidMetric));
        });
    }

    [TestMethod]
    public void Training_and_recalibration_outlive_collections_at_any_time()
    {
        var (model, loss) = (Net(choices: false), Loss.Named("cross-entropy"));
        var data = SmallTask.Data(model, 64, 1, 3);
        Repeat(() =>
        {
            new WinnerTrainer(Options, loss, () => MetricSet.Default(loss.Name), new SmallTask(), CPU, default).Fit(model, data, Options.Epochs);
            BatchNormRecalibration.Run(model, new(data, model.Graph, loss, 8, 1, CPU), CPU);
        });
    }

    // What is freed too early meets a collection by chance: within these seconds, more often than not.
    private static void Repeat(Action action)
    {
        using var storm = new CollectionStorm();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(4);)
            action();
    }

    private static Model Net(bool choices)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        Value a = net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), b = net.Op("LeakyRelu", x), c = net.Op("Elu", net.Op("Softplus", x));
        var h = choices ? net.LayerChoice("op", ["a", "b", "c"], a, b, c) : net.Op("Sum", a, b, c);
        return net.Build((net.Linear("head", choices ? net.InputChoice("inputs", 1, "mean", h, x) : net.Op("Add", h, x), 4, 3), [N, 3]));
    }
}
