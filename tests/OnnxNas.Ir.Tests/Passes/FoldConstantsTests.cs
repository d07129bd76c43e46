using OnnxNas.Ir.Passes;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using static OnnxNas.Ir.Tests.Passes.PassHarness;

namespace OnnxNas.Ir.Tests.Passes;

[TestClass]
public sealed class FoldConstantsTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private readonly RuntimeEvaluator evaluator = new();

    private FoldConstants Pass => new(evaluator, Rules);

    [TestMethod]
    public void Nodes_over_constants_become_constants_of_the_same_name()
    {
        var b = new ModelBuilder();
        var scale = b.Call("Sqrt", b.Call("Add", b.Filled(3, 4), b.Filled(1)));
        var name = scale.Name;
        b.Output("y", b.Call("Mul", b.Input("x", N, 4), scale)).Check(Pass, "Mul");
        CollectionAssert.AreEqual(new[] { 2.0, 2, 2, 2 }, b.Graph.Find(name)!.Initializer!.ToDoubles());
    }

    [TestMethod]
    public void What_the_type_rules_know_of_a_shape_needs_no_evaluator()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 3, 4);
        var channels = b.Call("Gather", [Attr.Of("axis", 0L)], b.Call("Shape", x), b.Ints(1));
        var fixedShape = b.Call("Shape", b.Input("z", 2, 5));
        var target = b.Call("Concat", [Attr.Of("axis", 0L)], b.Ints(-1), channels);
        b.Output("y", b.Call("Reshape", x, target)).Output("s", b.Call("Cast", [Attr.Of("to", 1L)], fixedShape));
        Pass.Run(b.Model);
        Assert.AreEqual("Shape Reshape Identity", b.Model.Ops());
        CollectionAssert.AreEqual(new[] { "Cast" }, evaluator.Asked);
        CollectionAssert.AreEqual(new[] { -1L, 3 }, b.Graph.First!.Next!.Input(1)!.Initializer!.ToInt64s());
    }

    [TestMethod]
    public void A_node_with_more_outputs_than_its_operator_makes_is_left_or_refused()
    {
        var graph = new Graph("g");
        var (root, extra) = (graph.AddValue("root"), graph.AddValue("extra"));
        graph.AddNode("Sqrt", [graph.AddInitializer("four", TensorData.Scalar(4f))], [root, extra]);
        graph.AddOutput(graph.Call("Add", [root, extra]));
        var model = new Model(graph);
        model.OpsetImports[""] = 17;
        Assert.IsFalse(Pass.Run(model));
        graph.AddNode("Constant", [], [graph.AddValue("a"), graph.AddValue("b")], attributes: [Attr.Of("value", TensorData.Scalar(1f))]);
        Assert.Contains("has 2 outputs", Assert.ThrowsExactly<ModelFormatException>(() => new LiftConstants().Run(model)).Message);
    }

    [TestMethod]
    public void A_shape_with_a_symbol_is_not_folded()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Cast", [Attr.Of("to", 1L)], b.Call("Shape", b.Input("x", N, 3)))).Check(Pass, "Shape Cast", changes: false);
    }

    [TestMethod]
    public void What_a_node_needs_on_the_way_is_bounded_before_it_is_computed()
    {
        var b = new ModelBuilder(opset: 23, irVersion: 10);
        var wide = Attr.Of("pads", [40_000L, 40_000, 40_000, 40_000]);
        Value[] bombs =
        [
            b.Call("RoiAlign", [Attr.Of("sampling_ratio", 12_000L)], b.Filled(1, 1, 1, 4, 4), b.Filled(1, 1, 4), b.Ints(0)),
            b.Call("LRN", [Attr.Of("size", 1_000_000_000L)], b.Filled(1, 1, 4, 2, 2)),
            b.Call("AveragePool", [Attr.Of("kernel_shape", [40_001L, 40_001]), wide, Attr.Of("strides", [50_000L, 50_000])], b.Filled(1, 1, 1, 2, 2)),
            b.Call("MaxPool", [Attr.Of("kernel_shape", [40_001L, 40_001]), wide, Attr.Of("strides", [50_000L, 50_000])], b.Filled(1, 1, 1, 2, 2)),
            b.Call("Conv", [wide, Attr.Of("strides", [90_000L, 90_000])], b.Filled(1, 1, 1, 2, 2), b.Filled(1, 1, 1, 1, 1)),
            b.Call("Attention", b.Filled(1, 1, 1, 16_000, 1), b.Filled(1, 1, 1, 100_000, 1), b.Filled(1, 1, 1, 100_000, 1)),
            b.Call("Einsum", [Attr.Of("equation", "a,b,c->")], b.Filled(1, 100_000), b.Filled(1, 100_000), b.Filled(1, 100_000)),
            b.Call("MatMul", b.Filled(1, 100, 1, 1, 30_000), b.Filled(1, 1, 100, 30_000, 1)),
            b.Call("Resize", [Attr.Of("mode", "linear")], b.Filled(1, 1, 1, 100_000, 1), null, null, b.Ints(1, 1, 1, 100_000)),
            b.Call("ConvTranspose", [Attr.Of("strides", [30_000L, 30_000]), Attr.Of("pads", [15_000L, 15_000, 15_000, 15_000])], b.Filled(1, 1, 1, 2, 2), b.Filled(1, 1, 1, 1, 1)),
        ];
        for (var i = 0; i < bombs.Length; i++)
            b.Output($"y{i}", b.Call("Identity", bombs[i]));
        // What is modest is folded all the same.
        var modest = b.Call("LRN", [Attr.Of("size", 5L)], b.Filled(1, 1, 4, 2, 2));
        b.Output("modest", b.Call("Identity", modest));
        new FoldConstants(new ConstantEvaluator(OperatorRegistry.Default), Rules).Run(b.Model);
        Assert.IsNotNull(b.Graph.Find(modest.Name)!.Initializer);
        foreach (var bomb in bombs)
            Assert.IsNull(b.Graph.Find(bomb.Name)!.Initializer, bomb.Name);
    }

    [TestMethod]
    public void A_pass_does_only_so_much_work()
    {
        // Each is little; together they are more than a pass may do.
        var b = new ModelBuilder();
        var square = b.Filled(1, 2_000, 2_000);
        for (var i = 0; i < 40; i++)
            b.Output($"y{i}", b.Call("ReduceSum", [Attr.Of("keepdims", 0L)], b.Call("MatMul", square, b.Filled(i, 2_000, 16))));
        new FoldConstants(new ConstantEvaluator(OperatorRegistry.Default), Rules, limit: 1 << 20).Run(b.Model);
        Assert.IsGreaterThan(0, b.Graph.Nodes.Count(n => n.OpType == "MatMul"));
        Assert.IsLessThan(40, b.Graph.Nodes.Count(n => n.OpType == "MatMul"));
    }

    [TestMethod]
    public void A_small_file_cannot_ask_for_gigabytes()
    {
        long[] huge = [1L << 20, 1L << 20];
        var b = new ModelBuilder();
        Value[] bombs =
        [
            b.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(1L))], b.Ints(huge)),
            b.Call("Expand", b.Filled(1, 1, 1), b.Ints(huge)),
            b.Call("Tile", b.Filled(1, 1, 1), b.Ints(1 << 20, 1 << 20)),
            b.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(1L))], b.Ints(65, 128)), // 8 bytes each: one row above the limit
        ];
        foreach (var bomb in bombs)
        {
            var read = b.Call("Relu", bomb);
            read.Type = new UnspecifiedType();
            b.Output(bomb.Name + "_out", read);
        }

        Assert.IsFalse(Pass.Run(b.Model));
        Assert.IsEmpty(evaluator.Asked);
    }

    [TestMethod]
    public void A_size_the_file_declares_is_not_believed()
    {
        var b = new ModelBuilder();
        var range = b.Call("Range", b.Filled(0), b.Filled(1e12f), b.Filled(1));
        range.Type = new TensorType(ElementType.Float32, new Shape(1));
        b.Output("y", b.Call("Relu", range));
        try
        {
            Pass.Run(b.Model);
        }
        catch (ShapeInferenceException)
        {
            // A rule that sees through the declaration refuses it.
        }

        Assert.IsEmpty(evaluator.Asked);
    }

    [TestMethod]
    public void Random_nodes_other_domains_and_replaceable_initializers_are_left_alone()
    {
        var b = new ModelBuilder();
        var given = b.Weight(2);
        b.Graph.AddInput(given.Name);
        b.Output("a", b.Call("RandomNormalLike", b.Filled(1, 2))).Output("b", b.Call("Neg", given))
            .Output("d", b.Graph.Call("Custom", [b.Filled(1, 2)], domain: "other"));
        b.Model.OpsetImports["other"] = 1;
        Assert.IsFalse(Pass.Run(b.Model));
    }

    [TestMethod]
    public void An_evaluator_that_declines_leaves_the_node()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Add", b.Input("x", N, 2), b.Call("Neg", b.Filled(1, 2))));
        Assert.IsFalse(new FoldConstants(new Declining(), Rules).Run(b.Model));
    }

    [TestMethod]
    public void A_folded_output_keeps_its_name()
    {
        var b = new ModelBuilder();
        b.Input("x", N, 2);
        b.Output("y", b.Call("Neg", b.Filled(1, 2))).Check(Pass, "Identity");
    }

    private sealed class Declining : IConstantEvaluator
    {
        public IReadOnlyList<TensorData?>? Evaluate(Node node, IReadOnlyList<TensorData?> inputs, IReadOnlyDictionary<string, int> opsets) => null;
    }
}
