using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class SwiGluTests
{
    private static readonly TensorData A = Uniform(1, -6, 6, 2, 3, 4);
    private static readonly TensorData B = Normal(2, 2, 3, 4);

    public static IEnumerable<OperatorCase> Rows =>
    [
        Row("default", 1, A, B),
        Row("alpha 1.7", 1.7f, A, B),
        Row("scalars", 1, Normal(1), Normal(2)),
        Row("no elements", 1, Normal(1, 0, 3), Normal(2, 0, 3)),
        Row("bfloat16", 1, A.As(ElementType.BFloat16), B.As(ElementType.BFloat16)) with { Composition = null, NoOracle = "ONNX Runtime has no such kernel" },
        Row("shapes that would broadcast", 1, A, Normal(2, 2, 3, 1)) with { Refusal = "must be equal" },
        Row("ranks that differ", 1, A, Normal(2, 3, 4)) with { Refusal = "differ in rank" },
        Row("two element types", 1, A, B.As(ElementType.Float64)) with { Refusal = "one shape and type" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static OperatorCase Row(string name, float alpha, TensorData a, TensorData b) => new(name, 28, "SwiGLU", a, b)
    {
        Attributes = alpha == 1 ? [] : [Attr.Of("alpha", alpha)],
        Composition = (graph, inputs) =>
        {
            var scaled = graph.Call("Mul", [inputs[0], graph.AddConstant("alpha", TensorData.Scalar(alpha))]);
            var gate = graph.Call("Mul", [inputs[0], graph.Call("Sigmoid", [scaled])]);
            return [graph.Call("Mul", [gate, inputs[1]])];
        },
    };
}
