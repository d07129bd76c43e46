using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Generators;

[TestClass]
public sealed class GeneratorTests
{
    private static readonly TensorData X = Normal(1, 4, 3, 5);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from opset in new[] { 7, 9, 11, 13 } select new OperatorCase("tensor", opset, "Constant") { Attributes = [Attr.Of("value", Vector(4, 5))] },
        new("float", 12, "Constant") { Attributes = [Attr.Of("value_float", 1.5f)] },
        new("floats", 12, "Constant") { Attributes = [Attr.Of("value_floats", [1.5f, 2f])] },
        new("int", 13, "Constant") { Attributes = [Attr.Of("value_int", 3)] },
        new("ints", 13, "Constant") { Attributes = [Attr.Of("value_ints", [3L, 4L])] },
        new("sparse", 13, "Constant") { Attributes = [Attr.Of("sparse_value", Sparse(Vector(1, 4)))], NoOracle = "ONNX Runtime gives a sparse output, which is compared below" },
        new("sparse large", 13, "Constant") { Attributes = [Attr.Of("sparse_value", Sparse(Vector(1, 4)) with { Dims = [16_384, 16_384] })], Refusal = "too large" },
        new("sparse outside", 13, "Constant") { Attributes = [Attr.Of("sparse_value", Sparse(Vector(1, 6)))], Refusal = "outside" },
        new("string", 13, "Constant") { Attributes = [Attr.Of("value_string", "a")], Refusal = "string constants do not run" },
        new("nothing", 13, "Constant") { Refusal = "exactly one" },
        new("two", 13, "Constant") { Attributes = [Attr.Of("value_int", 3), Attr.Of("value_float", 3f)], Refusal = "exactly one" },
        new("new form in an old version", 11, "Constant") { Attributes = [Attr.Of("value_int", 3)], Refusal = "exactly one" },
        new("default", 9, "ConstantOfShape", Vector(2, 3)) { Constants = [0] },
        new("integers", 20, "ConstantOfShape", Vector(2)) { Constants = [0], Attributes = [Attr.Of("value", Vector(7))] },
        new("truth", 9, "ConstantOfShape", Vector(2, 2)) { Constants = [0], Attributes = [Attr.Of("value", TensorData.Vector(true))] },
        new("scalar", 9, "ConstantOfShape", Vector()) { Constants = [0] },
        new("at run time", 9, "ConstantOfShape", Vector(2, 0)) { DynamicShape = true },
        new("negative", 9, "ConstantOfShape", Vector(2, -1)) { Refusal = "negative" },
        new("more than can be counted", 9, "ConstantOfShape", Vector(1L << 40, 1L << 40)) { Refusal = "count" },
        new("two values", 9, "ConstantOfShape", Vector(2)) { Attributes = [Attr.Of("value", Vector(1, 2))], Refusal = "one element" },
        new("all", 7, "Shape", X),
        new("part", 15, "Shape", X) { Attributes = [Attr.Of("start", -2), Attr.Of("end", 10)] },
        new("none", 19, "Shape", X) { Attributes = [Attr.Of("start", 2), Attr.Of("end", 1)] },
        new("part in an old version", 13, "Shape", X) { Attributes = [Attr.Of("start", 1)], Refusal = "'start'" },
        new("count", 7, "Size", X),
        new("integers", 11, "Range", Scalar(2), Scalar(9), Scalar(3)) { Constants = [0, 1, 2] },
        new("backwards", 11, "Range", Scalar(9), Scalar(2), Scalar(-3)) { Constants = [0, 1, 2] },
        new("empty", 11, "Range", Scalar(9), Scalar(2), Scalar(3)) { Constants = [0, 1, 2] },
        new("floats", 11, "Range", TensorData.Scalar(0.5f), TensorData.Scalar(2.1f), TensorData.Scalar(0.25f)) { Constants = [0, 1, 2], NoGradients = "constants" },
        new("at run time", 11, "Range", Scalar(2), Scalar(9), Scalar(3)) { DynamicShape = true },
        new("floats at run time", 11, "Range", TensorData.Scalar(0.5f), TensorData.Scalar(2.1f), TensorData.Scalar(0.25f)) { DynamicShape = true, NoGradient = new Dictionary<int, string> { [1] = "decides the count only" } },
        new("version 27", 27, "Range", Scalar(9), Scalar(2), Scalar(-3)) { Constants = [0, 1, 2], Composition = Eleven },
        new("float32 in version 27", 27, "Range", TensorData.Scalar(0.5f), TensorData.Scalar(2.1f), TensorData.Scalar(0.25f)) { DynamicShape = true, Composition = Eleven, NoGradient = new Dictionary<int, string> { [1] = "decides the count only" } },
        .. from type in new[] { ElementType.Float16, ElementType.BFloat16 }
           select new OperatorCase($"{type} computed in float32", 27, "Range", Narrow(type, 0.1f), Narrow(type, 30), Narrow(type, 0.1f)) { DynamicShape = true, Composition = Widened(type), Absolute = 0, Relative = 0 },
        new("computed in float16", 27, "Range", TensorData.Scalar(0.5f), TensorData.Scalar(2.1f), TensorData.Scalar(0.25f)) { DynamicShape = true, Attributes = [Attr.Of("stash_type", (long)ElementType.Float16)], Composition = Eleven, NoGradient = new Dictionary<int, string> { [1] = "decides the count only" } },
        new("computed in integers", 27, "Range", Scalar(9), Scalar(2), Scalar(-3)) { Attributes = [Attr.Of("stash_type", (long)ElementType.Int32)], Refusal = "stash_type" },
        new("stash_type in an old version", 11, "Range", Scalar(9), Scalar(2), Scalar(-3)) { Attributes = [Attr.Of("stash_type", 1)], Refusal = "'stash_type'" },
        new("delta 0", 11, "Range", Scalar(2), Scalar(9), Scalar(0)) { Refusal = "delta is 0" },
        new("far too many", 11, "Range", Scalar(long.MinValue), Scalar(long.MaxValue), Scalar(1)) { Refusal = "elements" },
        new("of the input's type", 9, "EyeLike", Normal(1, 3, 4)) { NoGradients = "constant" },
        new("above", 22, "EyeLike", Int64s(1, 0, 2, 3, 4)) { Attributes = [Attr.Of("k", 1), Attr.Of("dtype", (long)ElementType.Float32)] },
        new("below", 9, "EyeLike", Int64s(1, 0, 2, 4, 3)) { Attributes = [Attr.Of("k", -2)] },
        new("a vector", 9, "EyeLike", Normal(1, 3)) { Refusal = "matrix" },
        new("last axis", 9, "OneHot", Vector(0, 2, -1, 7), Scalar(3), TensorData.Vector(-1f, 2f)) { Constants = [1], NoOracle = "ONNX Runtime refuses the index outside" },
        new("inner axis", 11, "OneHot", Int64s(1, -3, 3, 2, 2), Scalar(3), Vector(5, 9)) { Constants = [1], Attributes = [Attr.Of("axis", 1)] },
        new("depth at run time", 11, "OneHot", Vector(0, 2), Scalar(3), TensorData.Vector(0f, 1f)) { DynamicShape = true },
        new("negative depth", 11, "OneHot", Vector(0, 2), Scalar(-3), TensorData.Vector(0f, 1f)) { Refusal = "depth" },
        new("places", 9, "NonZero", Int64s(1, 0, 2, 3, 4)) { DynamicShape = true },
        new("of truth", 13, "NonZero", TensorData.Vector(true, false, true)) { DynamicShape = true },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    public void A_sparse_constant_runs_as_a_dense_one_by_numbers_or_coordinates()
    {
        foreach (var indices in new[] { Vector(1, 4), TensorData.Create<long>([2, 2], [0, 1, 1, 1]) })
        {
            var graph = new Graph("sparse");
            graph.AddOutput(graph.AddNode("Constant", [], [graph.AddValue("y")], attributes: [Attr.Of("sparse_value", Sparse(indices))]).Output);
            var model = new Model(graph) { IrVersion = 8 };
            model.OpsetImports[""] = 13;
            using var module = new GraphModule(model);
            CollectionAssert.AreEqual(new[] { 0, 2.5f, 0, 0, -1, 0 }, module.Forward(new Dictionary<string, TorchSharp.torch.Tensor>())[0].ToTensorData().AsSpan<float>().ToArray());
        }
    }

    private static IReadOnlyList<Value> Eleven(Graph graph, IReadOnlyList<Value?> inputs) => [graph.Call("Range", inputs)];

    private static Func<Graph, IReadOnlyList<Value?>, IReadOnlyList<Value>> Widened(ElementType type) => (graph, inputs) =>
    {
        var range = graph.Call("Range", inputs.Select(i => graph.Call("Cast", [i], attributes: [Attr.Of("to", (long)ElementType.Float32)])));
        return [graph.Call("Cast", [range], attributes: [Attr.Of("to", (long)type)])];
    };

    private static TensorData Narrow(ElementType type, float value) => TensorData.Scalar(value).As(type);

    private static TensorData Vector(params long[] values) => TensorData.Vector<long>(values);

    private static TensorData Scalar(long value) => TensorData.Scalar(value);

    private static SparseTensorData Sparse(TensorData indices) => new(TensorData.Vector(2.5f, -1f), indices, [2, 3]);
}
