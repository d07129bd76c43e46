using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class LargestNodeTests
{
    [TestMethod]
    public void A_node_that_asks_for_too_much_of_an_input_is_refused_and_one_that_does_not_is_not()
    {
        var pair = Model((net, x) => net.Op("Add", net.Op("Expand", x, Ints(net, 16_384, 1)), net.Op("Expand", x, Ints(net, 1, 16_384))));
        var error = Assert.ThrowsExactly<ResourceLimitException>(() => LargestNode.Require(pair, OperatorRegistry.Default, new(1000L << 20)));
        Assert.Contains("Add", error.Message);
        Assert.Contains("1,024 MiB for one sample", error.Message);
        Assert.IsTrue(LargestNode.Require(pair, OperatorRegistry.Default, new(4L << 30)));
        var doubled = Model((net, x) => Enumerable.Range(0, 64).Aggregate(x, (value, _) => net.Op("Concat", [value, value], Attr.Of("axis", 0L))));
        Assert.ThrowsExactly<ResourceLimitException>(() => LargestNode.Require(doubled, OperatorRegistry.Default, new(2L << 30)));
    }

    [TestMethod]
    public void Sizes_that_a_run_computes_are_not_all_seen()
    {
        var computed = Model((net, x) => net.Op("Cast", [net.Op("ReduceMax", net.Op("NonZero", x))], Attr.Of("to", 1L)));
        Assert.IsFalse(LargestNode.Require(computed, OperatorRegistry.Default, new(1 << 20)));
    }

    private static Model Model(Func<NetBuilder, Value, Value> make)
    {
        var net = new NetBuilder();
        return net.Build((make(net, net.Input("x", 1, 1)), [Dim.Unknown(), Dim.Unknown()]));
    }

    private static Value Ints(NetBuilder net, params long[] values) => net.Graph.AddConstant("i", TensorData.Vector<long>(values));
}
