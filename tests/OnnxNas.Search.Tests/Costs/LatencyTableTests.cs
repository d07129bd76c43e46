using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class LatencyTableTests
{
    [TestMethod]
    public void Where_time_is_additive_the_prediction_is_what_the_whole_net_takes()
    {
        foreach (var model in new[] { CostNets.Chained(), CostNets.Cell(), CostNets.Row(3) })
        {
            CostNets.CostOf(model);
            var space = SearchSpace.Read(model);
            var table = LatencyTable.Measure(space, new CountingTimer());
            foreach (var architecture in OneHot.All(space))
            {
                var check = table.Check(architecture);
                Assert.AreEqual(check.Measured, check.Predicted, 1e-9, architecture.ToString());
                Assert.IsLessThan(1e-6, check.Error);
            }
        }
    }

    [TestMethod]
    public void Equal_regions_are_measured_once_whatever_their_names_and_weights()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        for (var i = 0; i < 4; i++)
            x = net.LayerChoice($"c{i}", null, CostNets.Bottleneck(net, $"a{i}", x, 7), net.Op("Tanh", CostNets.Bottleneck(net, $"b{i}", x, 7)), x);
        var model = net.Build((x, [CostNets.N, 4]));
        CostNets.CostOf(model);
        var table = LatencyTable.Measure(SearchSpace.Read(model), new CountingTimer());
        Assert.AreEqual(8, table.Regions);
        Assert.AreEqual(2, table.DistinctRegions);
    }

    [TestMethod]
    public void Training_does_not_change_a_region()
    {
        var model = CostNets.Chained();
        CostNets.CostOf(model);
        var before = Bytes(model);
        foreach (var weight in model.Graph.Initializers.ToList())
            model.Graph.SetInitializer(weight, TensorData.Create<float>(weight.Initializer!.Dims, [.. weight.Initializer!.AsSpan<float>().ToArray().Select(w => 3 * w + 1)]));
        var after = Bytes(model);
        Assert.IsGreaterThan(5, before.Count);
        CollectionAssert.AreEqual(before, after);
    }

    [TestMethod]
    public void Every_region_of_every_marked_model_runs_in_ONNX_Runtime()
    {
        foreach (var name in new[] { "nested", "nb201-digits" })
        {
            var model = Read(name);
            var bytes = Bytes(model).Select(Convert.FromHexString).ToList();
            Assert.IsGreaterThan(3, bytes.Count);
            foreach (var region in bytes)
            {
                using var session = new OnnxSession(region, new() { Threads = 1 });
                session.Run(RandomInputs.For(session, 1, batch: 1));
                Assert.IsTrue(session.Inputs.All(i => i.Shape!.IsKnown), "A region has free extents.");
            }
        }
    }

    [TestMethod]
    public void A_join_of_several_inputs_is_a_region()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var model = net.Build((net.InputChoice("i", 2, "sum", net.Op("Tanh", x), net.Op("Relu", x), x), [CostNets.N, 4]));
        CostNets.CostOf(model);
        CollectionAssert.AreEquivalent(new[] { "Tanh", "Relu", "Add" }, Bytes(model).Select(b => OnnxFile.Read(Convert.FromHexString(b)).Graph.Nodes.Single().OpType).ToArray());
    }

    [TestMethod]
    public void A_shape_that_is_not_known_before_running_is_refused_with_the_value_named()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var found = net.Op("Cast", [net.Op("Transpose", net.Op("NonZero", x))], Attr.Of("to", 1L));
        var y = net.LayerChoice("c", null, net.Op("Relu", found), net.Op("Tanh", found));
        var model = net.Build((y, [Dim.Symbol("M"), 2]));
        CostNets.CostOf(model);
        StringAssert.Contains(Assert.ThrowsExactly<ShapeInferenceException>(() => LatencyTable.Measure(SearchSpace.Read(model), new CountingTimer())).Message, "latency");
    }

    [TestMethod]
    public void The_line_passes_through_points_that_lie_on_one_and_never_falls_or_starts_below_an_idle_run()
    {
        var (start, slope) = LatencyTable.Fit([(1, 2.5), (2, 4.5), (5, 10.5)], 0.1);
        Assert.AreEqual(0.5, start, 1e-9);
        Assert.AreEqual(2, slope, 1e-9);
        Assert.IsGreaterThan(0, LatencyTable.Fit([(1, 5), (2, 4), (3, 3)], 0.1).Slope);
        Assert.AreEqual(0.1, LatencyTable.Fit([(1, 0.5), (2, 2), (4, 4.5)], 0.1).Base);
        Assert.AreEqual((3, 1), LatencyTable.Fit([(2, 5), (2, 5)], 0.1));
    }

    private static Model Read(string name)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", $"{name}.onnx"));
        MarkerFunctions.Remove(model);
        new PassManager([new LiftConstants(), new RemoveDeadNodes()]).Run(model);
        ShapeInference.Run(model, SupernetOperators.Registry);
        return model;
    }

    private static List<string> Bytes(Model model)
    {
        var space = SearchSpace.Read(model);
        return [.. new Regions(space, new(space), InputExtents.Declared).All().Where(r => r.Model is not null).Select(r => Convert.ToHexString(r.Model!))];
    }

    // A runtime whose time is exactly additive: a start, and for each node that computes something its multiply-accumulates.
    private sealed class CountingTimer : IModelTimer
    {
        public double Milliseconds(byte[] model)
        {
            var graph = OnnxFile.Read(model);
            var one = graph.Graph.Inputs.SelectMany(i => i.Shape!).SelectMany(d => d.Symbols()).Distinct().ToDictionary(s => s, _ => 1L);
            var types = ShapeInference.Run(graph, SupernetOperators.Registry);
            return 0.25 + graph.Graph.Nodes.Sum(n =>
                0.001 * (SupernetOperators.Registry.Bind(n, graph.OpsetVersions()).MultiplyAccumulates(types.Context(n), types.Outputs(n))?.Evaluate(one) ?? 0));
        }
    }
}
