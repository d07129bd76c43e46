using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Tests.Passes;
using OnnxNas.Operators;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Inference;

[TestClass]
public sealed class ShapeInferenceTests
{
    private static readonly Dim N = Dim.Symbol("N");

    private static ITypeRules Rules => OperatorRegistry.Default;

    [TestMethod]
    public void Types_flow_from_inputs_and_constants_to_outputs()
    {
        var b = new ModelBuilder();
        var hidden = b.Call("Conv", b.Input("x", N, 3, 8, 8), b.Weight(5, 3, 3, 3));
        b.Output("y", b.Call("Flatten", hidden));
        var result = ShapeInference.Run(b.Model, Rules, strict: true);
        Assert.AreEqual("Float32[N,5,6,6]", hidden.Type!.ToString());
        Assert.AreEqual("Float32[N,180]", b.Graph.Outputs[0].Type!.ToString());
        Assert.AreEqual("[5,3,3,3]", result.Context(hidden.Producer!).Shape(1)!.ToString());
        Assert.AreEqual("[N,5,6,6]", result.Outputs(hidden.Producer!)[0]!.Shape!.ToString());
    }

    [TestMethod]
    public void An_invented_output_name_gives_way_to_a_number_and_a_declared_number_beats_a_symbol()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Gemm", b.Input("x", N, 4), b.Weight(4, 10))).Output("z", b.Call("Relu", b.Graph.Inputs[0]));
        b.Graph.Outputs[0].Type = new TensorType(ElementType.Float32, new Shape(N, Dim.Symbol("Gemmlogits_dim_1")));
        b.Graph.Outputs[1].Type = new TensorType(ElementType.Float32, new Shape(2, Dim.Unknown()));
        ShapeInference.Run(b.Model, Rules);
        Assert.AreEqual("Float32[N,10]", b.Graph.Outputs[0].Type!.ToString());
        Assert.AreEqual("Float32[2,4]", b.Graph.Outputs[1].Type!.ToString());
    }

    [TestMethod]
    public void Symbols_of_inputs_replace_symbols_invented_on_the_way_and_inputs_stay_as_declared()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Relu", b.Input("x", N, Dim.Unknown())));
        b.Graph.Outputs[0].Type = new TensorType(ElementType.Float32, new Shape(Dim.Symbol("Reluy_dim_0"), Dim.Symbol("features"))) { Denotation = "TENSOR" };
        ShapeInference.Run(b.Model, Rules);
        Assert.AreEqual("Float32[N,features]", b.Graph.Outputs[0].Type!.ToString());
        Assert.AreEqual("TENSOR", b.Graph.Outputs[0].Type!.Denotation);
        Assert.AreEqual("Float32[N,?]", b.Graph.Inputs[0].Type!.ToString());
    }

    [TestMethod]
    public void Numbers_that_contradict_each_other_are_an_error_that_names_node_and_value()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Relu", b.Input("x", N, 4)));
        b.Graph.Outputs[0].Type = new TensorType(ElementType.Float32, new Shape(N, 5));
        var error = Assert.ThrowsExactly<ShapeInferenceException>(() => ShapeInference.Run(b.Model, Rules));
        StringAssert.Contains(error.Message, "Relu");
        StringAssert.Contains(error.Message, "'y'");
        b.Graph.Outputs[0].Type = new TensorType(ElementType.Int64, new Shape(N, 4));
        Assert.ThrowsExactly<ShapeInferenceException>(() => ShapeInference.Run(b.Model, Rules));
        b.Graph.Outputs[0].Type = new TensorType(ElementType.Float32, new Shape(N));
        Assert.ThrowsExactly<ShapeInferenceException>(() => ShapeInference.Run(b.Model, Rules));
    }

    [TestMethod]
    public void Shapes_that_grow_axis_by_axis_are_followed_to_a_rank_that_runtimes_have()
    {
        var b = new ModelBuilder();
        var axes = b.Ints([.. Enumerable.Range(0, 16).Select(i => (long)i)]);
        var y = b.Input("x", N, 4);
        var ranks = new List<int?>();
        for (var i = 0; i < 100; i++)
            y = b.Call("Unsqueeze", y, axes);
        b.Output("y", y);
        ShapeInference.Run(b.Model, Rules, strict: true);
        ranks.AddRange(b.Graph.Nodes.Select(n => n.Output.Shape?.Rank));
        CollectionAssert.AreEqual(new int?[] { 18, 34, 50 }, ranks.Take(3).ToArray());
        Assert.IsTrue(ranks.Skip(3).All(r => r is null));
        var wide = new ModelBuilder();
        wide.Output("y", wide.Call("Relu", wide.Input("x", [.. Enumerable.Repeat(Dim.Known(1), 1_000)])));
        ShapeInference.Run(wide.Model, Rules, strict: true);
        Assert.IsNull(wide.Graph.Outputs[0].Shape);
    }

    [TestMethod]
    public void Elements_of_shapes_are_followed_with_their_symbols()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 3, 4);
        var batch = b.Call("Gather", [Attr.Of("axis", 0L)], b.Call("Shape", x), b.Call("Constant", [Attr.Of("value_ints", [0L])]));
        var target = b.Call("Concat", [Attr.Of("axis", 0L)], batch, b.Ints(-1));
        b.Output("y", b.Call("Reshape", x, target));
        var result = ShapeInference.Run(b.Model, Rules, strict: true);
        Assert.AreEqual("N -1", string.Join(' ', result[target].Elements!));
        Assert.AreEqual("Float32[N,12]", b.Graph.Outputs[0].Type!.ToString());
        Assert.IsNull(result.Constant(target));
    }

    [TestMethod]
    public void An_initializer_that_is_an_input_is_not_known_before_running()
    {
        var b = new ModelBuilder();
        var target = b.Ints(2, 6);
        b.Graph.AddInput(target.Name);
        b.Output("y", b.Call("Reshape", b.Input("x", 3, 4), target));
        var result = ShapeInference.Run(b.Model, Rules);
        Assert.IsNull(result.Constant(target));
        Assert.IsNull(result[target].Elements);
        Assert.AreNotEqual("Float32[2,6]", b.Graph.Outputs[0].Type!.ToString());
    }

    [TestMethod]
    public void An_initializer_that_is_declared_otherwise_is_refused()
    {
        var b = new ModelBuilder();
        var w = b.Weight(3);
        w.Type = new TensorType(ElementType.Float32, new Shape(4));
        b.Output("y", b.Call("Relu", w));
        var error = Assert.ThrowsExactly<ShapeInferenceException>(() => ShapeInference.Run(b.Model, Rules));
        StringAssert.Contains(error.Message, $"'{w.Name}'");
    }

    [TestMethod]
    public void A_node_without_rule_keeps_declared_types_and_is_an_error_when_strict()
    {
        var b = new ModelBuilder();
        b.Model.OpsetImports["other"] = 1;
        var odd = b.Graph.Call("Odd", [b.Input("x", N, 4)], domain: "other");
        odd.Type = new TensorType(ElementType.Float32, new Shape(N, 7));
        b.Output("y", b.Call("Relu", odd));
        var result = ShapeInference.Run(b.Model, Rules);
        Assert.AreEqual("Float32[N,7]", b.Graph.Outputs[0].Type!.ToString());
        Assert.AreSame(odd.Producer, result.Skipped.Single().Node);
        StringAssert.Contains(result.Skipped[0].Reason, "Odd");
        Assert.ThrowsExactly<UnsupportedOperatorException>(() => ShapeInference.Run(b.Model, Rules, strict: true));
        Assert.ThrowsExactly<UnsupportedOperatorException>(() => ShapeInference.Run(b.Model, new NoRules(), strict: true));
    }

    [TestMethod]
    public void Subgraphs_see_the_values_around_them()
    {
        var b = new ModelBuilder();
        var y = b.If(b.Call("Relu", b.Input("x", N, 4)), b.Graph.Inputs[0], "Neg");
        b.Output("y", y);
        ShapeInference.Run(b.Model, Rules);
        foreach (var branch in y.Producer!.Subgraphs)
            Assert.AreEqual("Float32[N,4]", branch.Outputs[0].Type!.ToString());
    }

    [TestMethod]
    public void Inferring_twice_changes_nothing()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("GlobalAveragePool", b.Call("Conv", b.Input("x", N, 3, 8, 8), b.Weight(5, 3, 3, 3))));
        ShapeInference.Run(b.Model, Rules);
        var first = OnnxFile.ToBytes(b.Model);
        ShapeInference.Run(b.Model, Rules);
        CollectionAssert.AreEqual(first, OnnxFile.ToBytes(b.Model));
    }

    [TestMethod]
    public void Overflow_in_a_rule_is_reported_with_the_node()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Relu", b.Input("x", 2)));
        var error = Assert.ThrowsExactly<ShapeInferenceException>(() => ShapeInference.Run(b.Model, new Overflowing()));
        StringAssert.Contains(error.Message, "Relu");
    }

    [TestMethod]
    [DataRow("squeezenet1_1.onnx")]
    [DataRow("shufflenet_v2_x0_5.onnx")]
    [DataRow("mobilenet_v3_small.onnx")]
    [DataRow("shufflenet_v2_x0_5-eval.onnx")]
    [DataRow("unet-baked.onnx")]
    [DataRow("unet.onnx")]
    [DataRow("mlp.onnx")]
    public void Real_exports_are_inferred_to_the_last_value(string file)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", file));
        ShapeInference.Run(model, Rules, strict: true);
        foreach (var value in model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Where(v => v.IsUsed))
            Assert.IsTrue(value.Shape is { } shape && shape.All(d => !d.IsUnknown), $"{value} of {value.Producer} is {value.Type}.");
    }

    [TestMethod]
    public void Each_node_is_asked_once()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        for (var i = 0; i < 10_000; i++)
            x = b.Call("Relu", x);
        b.Output("y", x);
        var rules = new Counting();
        ShapeInference.Run(b.Model, rules);
        Assert.AreEqual(10_000, rules.Asked);
        Assert.AreEqual("Float32[N,4]", b.Graph.Outputs[0].Type!.ToString());
    }

    private sealed class Counting : ITypeRules
    {
        public int Asked { get; private set; }

        public IReadOnlyList<InferredValue?>? Infer(InferenceContext context, IReadOnlyDictionary<string, int> opsets)
        {
            Asked++;
            return Rules.Infer(context, opsets);
        }
    }

    private sealed class NoRules : ITypeRules
    {
        public IReadOnlyList<InferredValue?>? Infer(InferenceContext context, IReadOnlyDictionary<string, int> opsets) => null;
    }

    private sealed class Overflowing : ITypeRules
    {
        public IReadOnlyList<InferredValue?>? Infer(InferenceContext context, IReadOnlyDictionary<string, int> opsets) => throw new OverflowException("too large");
    }
}
