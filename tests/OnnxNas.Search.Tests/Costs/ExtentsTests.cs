using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Data;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

/// <summary>Costs at the extents of the data, and of what stands in bodies of nodes.</summary>
[TestClass]
public sealed class ExtentsTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_symbolic_extent_counts_as_that_of_the_data()
    {
        // conv3x3: 6·16·16·27 against squeeze: 3·100, which a map of 1×1 turns around.
        var (free, known) = (Images(Dim.Symbol("H"), Dim.Symbol("W")), Images(16, 16));
        var samples = Samples([3, 16, 16]);
        var cost = new ModelCost(SearchSpace.Read(free), InputExtents.Of(samples, free.Graph));
        Assert.AreEqual(new ModelCost(SearchSpace.Read(known)).Supernet, cost.Supernet);
        Assert.AreEqual(6 * 256 * 27 + 3 * 100 + 100 * 6, cost.Supernet.Macs);
        Assert.IsEmpty(cost.Assumed);
        Assert.AreEqual(cost.Range(), new ModelCost(SearchSpace.Read(known)).Range());
        var declared = new ModelCost(SearchSpace.Read(free));
        Assert.AreEqual(6 * 27 + 3 * 100 + 100 * 6, declared.Supernet.Macs);
        StringAssert.Contains(declared.Assumed.Single(), "H, W of input 'x'");
        var unknown = Images(Dim.Unknown(), Dim.Unknown());
        Assert.AreEqual(cost.Supernet, new ModelCost(SearchSpace.Read(unknown), InputExtents.Parse(["x:1x3x16x16"], unknown.Graph)).Supernet);
    }

    [TestMethod]
    public void Latency_is_measured_at_the_extents_of_the_data()
    {
        var model = Images(Dim.Symbol("H"), Dim.Symbol("W"));
        var timer = new ShapeTimer();
        var costs = new SearchCosts(SearchSpace.Read(model), timer, InputExtents.Of(Samples([3, 16, 16]), model.Graph));
        _ = costs.Latency;
        Assert.IsNotEmpty(timer.Inputs);
        Assert.IsTrue(timer.Inputs.All(i => i is "[1,3,16,16]" or "[1,6,16,16]" or "[1,3,1,1]" or "[1,6,1,1]" or "[1]"), string.Join(' ', timer.Inputs.Distinct()));
    }

    [TestMethod]
    [DataRow("x", "NAME:EXTENTS")]
    [DataRow("x:1x3xHx4", "NAME:EXTENTS")]
    [DataRow("x:", "NAME:EXTENTS")]
    [DataRow("x:1x3x0x4", "NAME:EXTENTS")]
    [DataRow("y:1x3x4x4", "no input")]
    [DataRow("x:1x3x4", "does not fit")]
    [DataRow("x:1x4x4x4", "does not fit")]
    public void Shapes_that_are_none_or_do_not_fit_are_refused(string text, string because)
    {
        var message = Assert.ThrowsExactly<UsageException>(() => InputExtents.Parse([text], Images(Dim.Symbol("H"), 4).Graph)).Message;
        StringAssert.Contains(message, because);
        StringAssert.Contains(message, text);
    }

    [TestMethod]
    public void A_loop_counts_as_often_as_it_runs_and_says_where_that_is_not_known()
    {
        foreach (var (trips, times) in new[] { (3L, 3), (0L, 0) })
            Assert.AreEqual(new Cost(16 + 10, 16 * times + 8), new ModelCost(SearchSpace.Read(Looping(trips))).Supernet with { Parameters = 26 });
        var unknown = new ModelCost(SearchSpace.Read(Looping(null)));
        Assert.AreEqual(16 + 8, unknown.Supernet.Macs);
        StringAssert.Contains(unknown.Assumed.Single(), "one repetition");
        Assert.AreEqual(26, unknown.Supernet.Parameters);
    }

    [TestMethod]
    public void Of_two_branches_the_dearer_one_counts_and_the_weights_of_both()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var (a, b, c) = (net.Weight("a.weight", 4, 4), net.Weight("b.weight", 4, 2), net.Weight("c.weight", 2, 4));
        var (one, two) = (new Graph("one", net.Graph), new Graph("two", net.Graph));
        one.AddOutput(one.Call("MatMul", [x, a]));
        two.AddOutput(two.Call("MatMul", [two.Call("Gemm", [x, b]), c]));
        var y = net.Op("If", [net.Graph.AddInitializer("condition", TensorData.Scalar(true))], Attr.Of("then_branch", one), Attr.Of("else_branch", two));
        var model = net.Build((y, [N, 4]));
        Assert.AreEqual(new Cost(16 + 8 + 8, 16), new ModelCost(SearchSpace.Read(model)).Supernet);
    }

    [TestMethod]
    public void A_symbol_that_a_body_declares_has_the_extent_of_the_data_too()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var body = new Graph("body", net.Graph);
        body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
        var goes = body.AddInput("goes", new TensorType(ElementType.Bool, Shape.Scalar));
        var state = body.AddInput("state", new TensorType(ElementType.Float32, new Shape([N, 4])));
        body.AddOutput(body.Call("Identity", [goes]));
        var next = body.Call("MatMul", [state, net.Weight("loop.weight", 4, 4)]);
        next.Type = new TensorType(ElementType.Float32, new Shape([N, 4]));
        body.AddOutput(next);
        var (three, go) = (net.Graph.AddInitializer("three", TensorData.Scalar(3L)), net.Graph.AddInitializer("true", TensorData.Scalar(true)));
        var loop = net.Op("Loop", [three, go, x], Attr.Of("body", body));
        loop.Type = new TensorType(ElementType.Float32, new Shape([N, 4]));
        var model = net.Build((net.LayerChoice("op", ["loop", "relu"], loop, net.Op("Relu", x)), [N, 4]));
        Assert.AreEqual(3 * 16, new ModelCost(SearchSpace.Read(model), InputExtents.Of(Samples([4]), model.Graph)).Supernet.Macs);
    }

    private static Model Images(Dim height, Dim width)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 3, height, width);
        var conv = net.Op("GlobalAveragePool", net.Op("Conv", [x, net.Weight("w", 6, 3, 3, 3)], Attr.Of("pads", (IEnumerable<long>)[1, 1, 1, 1])));
        var squeeze = net.Op("Conv", net.Op("Relu", net.Op("Conv", net.Op("GlobalAveragePool", x), net.Weight("s", 100, 3, 1, 1))), net.Weight("t", 6, 100, 1, 1));
        return net.Build((net.LayerChoice("op", ["conv", "squeeze"], conv, squeeze), [N, 6, 1, 1]));
    }

    private static Dataset Samples(long[] dims) =>
        Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TestTensors.Normal(1, [4, .. dims]) }, TestTensors.Normal(2, 4, 1));

    private static Model Looping(long? trips)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var body = new Graph("body", net.Graph);
        body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
        var goes = body.AddInput("goes", new TensorType(ElementType.Bool, Shape.Scalar));
        var state = body.AddInput("state");
        body.AddOutput(body.Call("Identity", [goes]));
        body.AddOutput(body.Call("MatMul", [state, net.Weight("loop.weight", 4, 4)]));
        var count = trips is { } known ? net.Graph.AddInitializer("trips", TensorData.Scalar(known)) : net.Op("Cast", [net.Op("Squeeze", net.Op("ReduceMax", x))], Attr.Of("to", 7L));
        var y = net.Op("Loop", [count, net.Graph.AddInitializer("true", TensorData.Scalar(true)), x], Attr.Of("body", body));
        return net.Build((net.Linear("head", y, 4, 2), [N, 2]));
    }

    private sealed class ShapeTimer : IModelTimer
    {
        public List<string> Inputs { get; } = [];

        public double Milliseconds(byte[] model)
        {
            using var session = new OnnxSession(model);
            Inputs.AddRange(session.Inputs.Select(i => i.Shape!.ToString()));
            return 1 + model.Length;
        }
    }
}
