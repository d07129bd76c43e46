using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class ConstantWorkTests
{
    [TestMethod]
    public void What_is_computed_of_constants_counts_and_what_is_computed_of_inputs_does_not()
    {
        var small = Work((net, x) => net.Op("Add", x, net.Op("ConstantOfShape", Ints(net, 8, 4))));
        Assert.IsTrue(small.IsModest);
        Assert.AreEqual(8 * 4 * 4, small.Bytes);
        var large = Work((net, x) => net.Op("Add", x, net.Op("ReduceMax", net.Op("Sqrt", net.Op("ConstantOfShape", Ints(net, 16_384, 16_384))))));
        Assert.IsFalse(large.IsModest);
        Assert.AreEqual(2.0 * 16_384 * 16_384 * 4, large.Bytes, 1024);
        Assert.Contains("ConstantOfShape", large.Largest);
        var error = Assert.ThrowsExactly<ResourceLimitException>(() => large.Require(new(1 << 30)));
        Assert.Contains("2,048 MiB", error.Message);
        large.Require(new(4L << 30));
        // The run of a model may ask for as much of its inputs, which is another matter.
        Assert.IsTrue(Work((net, x) => net.Op("ReduceMax", net.Op("MatMul", net.Op("Expand", x, Ints(net, 16_384, 4)), net.Weight("w", 4, 4)))).IsModest);
    }

    [TestMethod]
    public void The_shape_of_an_input_is_known_on_loading_and_a_size_that_is_not_known_is_not_modest()
    {
        Assert.IsFalse(Work((net, x) => net.Op("Add", x, net.Op("ReduceMax", net.Op("ConstantOfShape", net.Op("Mul", net.Op("Shape", x), Ints(net, 10_000, 10_000)))))).IsModest);
        var unknown = Work((net, x) => net.Op("Add", x, net.Op("Cast", [net.Op("ReduceMax", net.Op("NonZero", net.Weight("w", 4, 4)))], Attr.Of("to", 1L))));
        Assert.IsFalse(unknown.IsWhole);
        Assert.IsFalse(unknown.IsModest);
        unknown.Require(new(1 << 20));
    }

    [TestMethod]
    public void Of_a_branch_that_fits_no_inputs_no_sizes_are_known_and_the_other_branch_runs()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 1, 4);
        var (unfit, fit) = (new Graph("unfit", net.Graph), new Graph("fit", net.Graph));
        var product = unfit.Call("MatMul", [x, net.Weight("w", 5, 3)]);
        unfit.AddOutput(unfit.Call("ConstantOfShape", [unfit.Call("Shape", [product])]));
        fit.AddOutput(fit.Call("Neg", [x]));
        var y = net.Op("If", [net.Graph.AddInput("condition", new TensorType(ElementType.Bool, Shape.Scalar))], Attr.Of("then_branch", unfit), Attr.Of("else_branch", fit));
        var model = net.Build((y, [Dim.Unknown(), Dim.Unknown()]));
        Assert.IsFalse(ConstantWork.Of(model, OperatorRegistry.Default).IsWhole);
        using var module = new GraphModule(model);
        var answer = module.Evaluate(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([1, 4], [1, 2, 3, 4]), ["condition"] = TensorData.Scalar(false) });
        CollectionAssert.AreEqual((double[])[-1, -2, -3, -4], answer[0].ToDoubles());
    }

    private static ConstantWork Work(Func<NetBuilder, Value, Value> make)
    {
        var net = new NetBuilder();
        var model = net.Build((make(net, net.Input("x", 1, 4)), [Dim.Unknown(), Dim.Unknown()]));
        return ConstantWork.Of(model, OperatorRegistry.Default);
    }

    private static Value Ints(NetBuilder net, params long[] values) => net.Graph.AddConstant("i", TensorData.Vector<long>(values));
}
