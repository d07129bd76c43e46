using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators.Tests.Movement;

/// <summary>Shapes computed from shapes stay exact expressions of the symbols.</summary>
[TestClass]
public sealed class SymbolicShapeTests
{
    private readonly Graph graph = new("shapes");
    private readonly Value x;
    private readonly Value shape;

    public SymbolicShapeTests()
    {
        x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), 6, Dim.Symbol("H"), 4)));
        shape = Call("Shape", [x]);
    }

    [TestMethod]
    public void A_channel_shuffle_keeps_the_named_batch()
    {
        var batch = Call("Unsqueeze", [Call("Gather", [shape, Scalar(0)]), Vector(0)]);
        var half = Call("Unsqueeze", [Call("Div", [Call("Gather", [shape, Scalar(1)]), Scalar(2)]), Vector(0)]);
        var rest = Call("Slice", [shape, Vector(2), Vector(long.MaxValue)]);
        var apart = Call("Reshape", [x, Call("Concat", [batch, Vector(2), half, rest], Attr.Of("axis", 0))]);
        var together = Call("Reshape", [Call("Transpose", [apart], Attr.Of("perm", [0L, 2L, 1L, 3L, 4L])), Call("Concat", [batch, Vector(-1), rest], Attr.Of("axis", 0))]);
        Expect("[N,2,3,H,4]", apart);
        Expect("[N,6,H,4]", together);
    }

    [TestMethod]
    public void An_open_extent_is_what_is_left()
    {
        Expect("[N,6*H,4]", Call("Reshape", [x, Vector(0, -1, 4)]));
        Expect("[N,24*H]", Call("Flatten", [x]));
        Expect("[H*N,24]", Call("Reshape", [x, Vector(-1, 24)]));
        Expect("[24*H*N]", Call("Reshape", [x, Call("Reshape", [Call("Size", [x]), Vector(1)])]));
    }

    [TestMethod]
    public void An_expand_that_asks_for_minus_one_knows_that_no_extent_is()
    {
        var wanted = Call("Equal", [shape, Vector(-1)]);
        var filled = Call("ConstantOfShape", [Vector(4)], Attr.Of("value", TensorData.Vector(1L)));
        Expect("[N,6,H,4]", Call("Expand", [Call("Constant", [], Attr.Of("value_floats", [1f])), Call("Where", [wanted, filled, shape])]));
    }

    [TestMethod]
    public void A_quotient_that_might_be_negative_stays_open()
    {
        var less = Call("Sub", [shape, Vector(1)]);
        var part = Call("Slice", [Call("Div", [less, Vector(2)]), Vector(0), Vector(1)]);
        var made = Call("ConstantOfShape", [part]);
        ShapeInference.Run(Model(), OperatorRegistry.Default, strict: true);
        Assert.IsTrue(made.Shape![0].IsUnknown, "For N = 0 the quotient truncates to 0, where a floor gives -1.");
    }

    private void Expect(string expected, Value value)
    {
        ShapeInference.Run(Model(), OperatorRegistry.Default, strict: true);
        Assert.AreEqual(expected, value.Shape?.ToString());
    }

    private Model Model()
    {
        var model = new Model(graph) { IrVersion = 8 };
        model.OpsetImports[""] = 17;
        return model;
    }

    private Value Call(string op, Value[] inputs, params Attr[] attributes) =>
        graph.AddNode(op, inputs, [graph.AddValue(graph.FreshName(op))], attributes: attributes).Output;

    private Value Vector(params long[] values) => graph.AddInitializer(graph.FreshName("v"), TensorData.Vector<long>(values));

    private Value Scalar(long value) => graph.AddInitializer(graph.FreshName("s"), TensorData.Scalar(value));
}
