using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

/// <summary>Against ONNX Runtime's own operator of that name, which is older than ONNX's.</summary>
[TestClass]
public sealed class CausalConvWithStateTests
{
    private static readonly TensorData X = Normal(1, 2, 3, 5);
    private static readonly TensorData W = Normal(2, 3, 1, 4);
    private static readonly TensorData B = Normal(3, 3);
    private static readonly TensorData Past = Normal(4, 2, 3, 3);

    public static IEnumerable<OperatorCase> Rows =>
    [
        Row("weights alone", "none", X, W),
        Row("everything", "none", X, W, B, Past),
        Row("silu with past", "silu", X, W, null, Past),
        Row("swish is silu", "swish", X, W, B) with { Composition = Own("silu") },
        Row("fewer positions than the kernel", "none", Normal(1, 2, 3, 2), W),
        Row("fewer positions than the kernel, with past", "none", Normal(1, 2, 3, 2), W, B, Past),
        Row("one position after the other", "silu", Normal(1, 2, 3, 1), W, B, Past),
        Row("a kernel of one", "none", X, Normal(2, 3, 1, 1), B),
        Row("no positions", "none", Normal(1, 2, 3, 0), W, B, Past) with { NoGradients = "no elements" },
        Row("no batch", "silu", Normal(1, 0, 3, 5), W, B) with { NoGradients = "no elements" },
        Row("half", "silu", X.As(ElementType.Float16), W.As(ElementType.Float16), B.As(ElementType.Float16), Past.As(ElementType.Float16)) with { Composition = null, NoOracle = "ONNX Runtime has no such kernel" },
        Row("two element types", "none", X, W, null, Past.As(ElementType.Float64)) with { Refusal = "element types" },
        Row("filters that do not fit", "none", X, Normal(2, 4, 1, 4)) with { Refusal = "must be equal" },
        Row("filters over two channels", "none", X, Normal(2, 3, 2, 4)) with { Refusal = "[C,1,k]" },
        Row("a bias that does not fit", "none", X, W, Normal(3, 4)) with { Refusal = "must be [3]" },
        Row("a past that does not fit", "none", X, W, null, Normal(4, 2, 3, 4)) with { Refusal = "must be [2,3,3]" },
        Row("a matrix", "none", Normal(1, 3, 5), W) with { Refusal = "three axes" },
        Row("another activation", "relu", X, W) with { Refusal = "activation 'relu'" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    public void Every_output_costs_a_filter_of_its_channel()
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), 3, 5)));
        var w = graph.AddInput("w", new TensorType(ElementType.Float32, new Shape(3, 1, 4)));
        var node = graph.AddNode("CausalConvWithState", [x, w], [graph.AddValue("y"), graph.AddValue("state")]);
        var bound = OperatorRegistry.Default.Bind(node, new Dictionary<string, int> { [""] = 27 });
        var context = new InferenceContext(node, [new InferredValue(x.Type), new InferredValue(w.Type)], [null, null]);

        Assert.AreEqual(Dim.Parse("60*N"), bound.MultiplyAccumulates(context, bound.Infer(context)));
    }

    private static OperatorCase Row(string name, string activation, params TensorData?[] inputs) =>
        new(name, 27, "CausalConvWithState", inputs) { Outputs = 2, Weights = [1], Attributes = [Attr.Of("activation", activation)], Composition = Own(activation) };

    private static Func<Graph, IReadOnlyList<Value?>, IReadOnlyList<Value>> Own(string activation) => (graph, inputs) =>
    {
        Value[] outputs = [graph.AddValue("output"), graph.AddValue("state")];
        graph.AddNode("CausalConvWithState", inputs, outputs, "com.microsoft", [Attr.Of("activation", activation)]);
        return outputs;
    };
}
