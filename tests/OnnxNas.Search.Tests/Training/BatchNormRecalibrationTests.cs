using OnnxNas.Ir;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class BatchNormRecalibrationTests
{
    [TestMethod]
    [DataRow(int.MaxValue), DataRow(2), DataRow(1)]
    public void Statistics_become_the_mean_over_batches_and_nothing_else_changes(int count)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 3);
        var model = net.Build((net.Linear("l", net.BatchNorm("bn", x, 3), 3, 2), [Dim.Symbol("N"), 2]));
        var before = model.Graph.Initializers.ToDictionary(i => i.Name, i => i.Initializer!.Bytes.ToArray());
        var data = SmallTask.Data(model, 24, 4);
        var loader = new BatchLoader(data, model.Graph, Loss.Named("mse"), 8, 3, CPU);
        BatchNormRecalibration.Run(model, loader, CPU, count);
        foreach (var value in model.Graph.Initializers.Where(i => i.Name is not ("bn.mean" or "bn.var")))
            CollectionAssert.AreEqual(before[value.Name], value.Initializer!.Bytes.ToArray(), value.Name);
        Assert.AreEqual(0.9f, model.Graph.Nodes.First().Attribute("momentum")!.AsFloat());
        for (var c = 0; c < 3; c++)
        {
            var all = loader.Shuffled(0).Select(b => b.Select(i => data.Batch("x", [i], ElementType.Float64).ToDoubles()[c]).ToArray()).ToList();
            var batches = all[..Math.Min(count, 3)];
            foreach (var (name, first, statistic) in new (string, double, Func<double[], double>)[] { ("bn.mean", 0.1 * c, b => b.Average()), ("bn.var", 1 + 0.2 * c, b => b.Average(v => Math.Pow(v - b.Average(), 2))) })
            {
                var actual = model.Graph.Find(name)!.Initializer!.ToDoubles()[c];
                Assert.AreEqual(batches.Average(statistic), actual, 1e-5);
                // The mutants: a moving average, that of the supernet not forgotten; the last batch alone; the old value taken in as one more batch; all batches where fewer are asked for.
                foreach (var mutant in (double[])
                [
                    batches.Aggregate(first, (old, b) => 0.9 * old + 0.1 * statistic(b)), batches.Select(statistic).Append(first).Average(),
                    .. count > 1 ? [statistic(batches[^1])] : Array.Empty<double>(), .. count < 3 ? [all.Average(statistic)] : Array.Empty<double>(),
                ])
                    Assert.IsGreaterThan(1e-4, Math.Abs(mutant - actual), name);
            }
        }
    }

    [TestMethod]
    public void The_same_weights_get_the_same_statistics_whatever_was_drawn_before()
    {
        var statistics = Enumerable.Range(0, 2).Select(_ =>
        {
            using var drawn = rand(3);
            var net = new NetBuilder();
            var dropped = net.Op("Dropout", net.Input("x", Dim.Symbol("N"), 3), net.Constant("ratio", [], _ => 0.5), net.Graph.AddInitializer("on", TensorData.Scalar(true)));
            var model = net.Build((net.Linear("l", net.BatchNorm("bn", dropped, 3), 3, 2), [Dim.Symbol("N"), 2]));
            BatchNormRecalibration.Run(model, new BatchLoader(SmallTask.Data(model, 24, 4), model.Graph, Loss.Named("mse"), 8, 3, CPU), CPU);
            return model.Graph.Find("bn.mean")!.Initializer!.ToDoubles();
        }).ToList();
        CollectionAssert.AreEqual(statistics[0], statistics[1]);
    }
}
