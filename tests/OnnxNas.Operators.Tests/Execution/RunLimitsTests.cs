using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class RunLimitsTests
{
    private const long Gigabyte = 1L << 30;

    /// <summary>Nodes that make gigabytes of a few numbers that are known only while running.</summary>
    public static IEnumerable<object[]> Bombs =>
    [
        ["ConstantOfShape", (NetBuilder net, Value size) => net.Op("ConstantOfShape", Vector(net, size, 2))],
        ["Expand", (NetBuilder net, Value size) => net.Op("Expand", net.Weight("w", 1, 1), Vector(net, size, 2))],
        ["Tile", (NetBuilder net, Value size) => net.Op("Tile", net.Weight("w", 1, 1), Vector(net, size, 2))],
        ["Range", (NetBuilder net, Value size) => net.Op("Range", Int(net, 0), net.Op("Mul", size, Int(net, 20_000)), Int(net, 1))],
        ["OneHot", (NetBuilder net, Value size) => net.Op("OneHot", Ints(net, new long[20_000]), size, net.Weight("w", 2))],
        ["Pad", (NetBuilder net, Value size) => net.Op("Pad", net.Weight("w", 1, 1), Vector(net, size, 4))],
        ["Resize", (NetBuilder net, Value size) => net.Op("Resize", net.Weight("w", 1, 1), null, null, Vector(net, size, 2))],
        ["EyeLike", (NetBuilder net, Value size) => net.Op("EyeLike", net.Op("ConstantOfShape", Vector(net, size, 2)))],
        ["MatMul", (NetBuilder net, Value size) => net.Op("MatMul", net.Op("Expand", net.Weight("w", 1, 1), Pair(net, size, isFirst: true)), net.Op("Expand", net.Weight("v", 1, 1), Pair(net, size, isFirst: false)))],
    ];

    [TestMethod]
    [DynamicData(nameof(Bombs))]
    public void A_kernel_that_would_make_too_much_is_refused_before_it_starts(string op, Func<NetBuilder, Value, Value> make)
    {
        var net = new NetBuilder();
        var size = net.Graph.AddInput("size", new TensorType(ElementType.Int64, Shape.Scalar));
        var y = make(net, size);
        using var module = new GraphModule(net.Build((net.Op("ReduceMax", y), [])));
        module.Limits = new(256 << 20);
        var error = Assert.ThrowsExactly<ResourceLimitException>(() => Run(module, 50_000));
        Assert.Contains(op == "EyeLike" ? "ConstantOfShape" : op, error.Message);
        Assert.Contains("256 MiB", error.Message);
        Assert.Contains("--memory", error.Message);
        // The same graph runs where it is asked for little, and gives the answer that it gives without limits.
        var limited = Run(module, 3);
        module.Limits = null;
        CollectionAssert.AreEqual(Run(module, 3)[0].ToDoubles(), limited[0].ToDoubles());
    }

    [TestMethod]
    public void What_lives_at_once_counts_and_what_is_freed_does_not()
    {
        // Ten of 40 MiB: one after the other they fit, together they do not.
        Assert.HasCount(1, Run(kept: false, 100 << 20));
        Assert.ThrowsExactly<ResourceLimitException>(() => Run(kept: true, 100 << 20));
        Assert.HasCount(1, Run(kept: true, Gigabyte));

        static IReadOnlyList<TensorData> Run(bool kept, long bytes)
        {
            var net = new NetBuilder();
            var size = net.Graph.AddInput("size", new TensorType(ElementType.Int64, Shape.Scalar));
            Value Part() => net.Op("ConstantOfShape", Vector(net, size, 2));
            var y = kept
                ? net.Op("ReduceSum", net.Op("Max", [.. Enumerable.Range(0, 10).Select(_ => Part())]))
                : net.Op("Sum", [.. Enumerable.Range(0, 10).Select(_ => net.Op("ReduceSum", Part()))]);
            using var module = new GraphModule(net.Build((y, [1, 1])));
            module.Limits = new(bytes);
            return RunLimitsTests.Run(module, 3_200);
        }
    }

    [TestMethod]
    public void A_loop_is_refused_when_it_has_gathered_too_much_or_run_too_often()
    {
        // The body's type says nothing of its size, so that only the run shows it.
        var large = Loop(64 << 20, rounds: 200, size: 1_000);
        Assert.Contains("needs", large);
        var endless = Loop(1 << 20, rounds: long.MaxValue / 2, size: 1);
        Assert.Contains("operations", endless);

        static string Loop(long bytes, long rounds, long size)
        {
            var net = new NetBuilder();
            var extent = net.Graph.AddInput("size", new TensorType(ElementType.Int64, Shape.Scalar));
            var shape = Vector(net, extent, 2);
            var body = new Graph("body", net.Graph);
            var (_, goesOn) = (body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar)), body.AddInput("go", new TensorType(ElementType.Bool, Shape.Scalar)));
            var state = body.AddInput("state", new TensorType(ElementType.Float32, null));
            body.AddOutput(body.Call("Identity", [goesOn]));
            body.AddOutput(body.Call("Add", [state, body.Call("ConstantOfShape", [shape])]));
            var y = net.Op("Loop", [Int(net, rounds), null, net.Weight("w", 1, 1)], Attr.Of("body", body));
            using var module = new GraphModule(net.Build((net.Op("ReduceMax", y), [1, 1])));
            module.Limits = new(bytes, 6e9);
            return Assert.ThrowsExactly<ResourceLimitException>(() => Run(module, size)).Message;
        }
    }

    [TestMethod]
    public void Inputs_count_as_well()
    {
        var net = new NetBuilder();
        using var module = new GraphModule(net.Build((net.Op("Relu", net.Input("x", Dim.Symbol("N"))), [Dim.Symbol("N")])));
        module.Limits = new(1 << 20);
        var feeds = new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([1 << 19], new float[1 << 19]) };
        Assert.Contains("'x'", Assert.ThrowsExactly<ResourceLimitException>(() => module.Evaluate(feeds)).Message);
    }

    [TestMethod]
    public void Outputs_may_take_less_than_what_the_run_may_take_meanwhile_since_they_are_copied()
    {
        Assert.Contains("outputs", Assert.ThrowsExactly<ResourceLimitException>(() => Run(net => net.Input("x", Dim.Symbol("N")))).Message);
        Assert.HasCount(1, Run(net => net.Op("ReduceMax", net.Input("x", Dim.Symbol("N")))));

        static IReadOnlyList<TensorData> Run(Func<NetBuilder, Value> make)
        {
            var net = new NetBuilder();
            using var module = new GraphModule(net.Build((net.Op("Relu", make(net)), [Dim.Unknown()])));
            module.Limits = new(1 << 20);
            return module.Evaluate(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([100_000], new float[100_000]) });
        }
    }

    [TestMethod]
    public void Limits_follow_the_size_of_the_model()
    {
        var (small, large) = (Holding(10), Holding(4 << 20));
        Assert.IsLessThan(Gigabyte / 4, small.Bytes);
        Assert.AreEqual(Math.Min(24L * 4 * (4 << 20), MachineMemory.MostOfFree()), large.Bytes, 64 << 20);

        static RunLimits Holding(int numbers)
        {
            var net = new NetBuilder();
            return RunLimits.ForModel(net.Build((net.Op("Add", net.Input("x", numbers), net.Constant("w", [numbers], _ => 0)), [numbers])));
        }
    }

    private static IReadOnlyList<TensorData> Run(GraphModule module, long size) => module.Evaluate(new Dictionary<string, TensorData> { ["size"] = TensorData.Scalar(size) });

    private static Value Int(NetBuilder net, long value) => net.Graph.AddConstant("i", TensorData.Scalar(value));

    private static Value Ints(NetBuilder net, long[] values) => net.Graph.AddConstant("i", TensorData.Vector<long>(values));

    // [size, size, …]
    private static Value Vector(NetBuilder net, Value size, long count) => net.Op("Expand", size, Ints(net, [count]));

    // [size, 1] or [1, size]
    private static Value Pair(NetBuilder net, Value size, bool isFirst)
    {
        var (one, extent) = (Ints(net, [1]), Vector(net, size, 1));
        return net.Op("Concat", isFirst ? [extent, one] : [one, extent], Attr.Of("axis", 0L));
    }
}
