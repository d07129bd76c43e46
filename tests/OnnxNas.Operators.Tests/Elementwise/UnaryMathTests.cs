using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Elementwise;

[TestClass]
public sealed class UnaryMathTests
{
    private static readonly TensorData Extremes = TensorData.Vector(float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -3f);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. Both("Abs", 7, 13, Normal(1, 2, 3)),
        .. Both("Neg", 7, 13, Normal(1, 2, 3)),
        .. Both("Exp", 7, 13, Normal(1, 2, 3)),
        .. Both("Log", 7, 13, Uniform(1, 0.5f, 3, 2, 3)),
        .. Both("Sqrt", 7, 13, Uniform(1, 0.5f, 3, 2, 3)),
        .. Both("Reciprocal", 7, 13, Uniform(1, 0.5f, 3, 2, 3)),
        .. Both("Floor", 7, 13, Normal(1, 2, 3)),
        .. Both("Ceil", 7, 13, Normal(1, 2, 3)),
        .. Both("Sign", 9, 13, Normal(1, 2, 3)),
        .. Both("Erf", 9, 13, Normal(1, 2, 3)),
        .. Both("Round", 11, 22, Normal(1, 2, 3)),
        .. Both("Sin", 7, 22, Normal(1, 2, 3)),
        .. Both("Cos", 7, 22, Normal(1, 2, 3)),
        .. Both("Tan", 7, 22, Uniform(1, -1, 1, 2, 3)),
        .. Both("Asin", 7, 22, Uniform(1, -0.9f, 0.9f, 2, 3)),
        .. Both("Acos", 7, 22, Uniform(1, -0.9f, 0.9f, 2, 3)),
        .. Both("Atan", 7, 22, Normal(1, 2, 3)),
        .. Both("Sinh", 9, 22, Normal(1, 2, 3)),
        .. Both("Cosh", 9, 22, Normal(1, 2, 3)),
        .. Both("Asinh", 9, 22, Normal(1, 2, 3)),
        .. Both("Acosh", 9, 22, Uniform(1, 1.2f, 3, 2, 3)),
        .. Both("Atanh", 9, 22, Uniform(1, -0.9f, 0.9f, 2, 3)),
        .. Both("IsNaN", 9, 20, Extremes),
        new("halves go to the even neighbour", 11, "Round", TensorData.Vector(-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f)) { NoGradients = "steps" },
        new("integers", 13, "Abs", TensorData.Vector<long>(3, -4, 0)),
        new("integers", 13, "Neg", TensorData.Vector(3, -4, 0)),
        new("known elements", 13, "Abs", TensorData.Vector<long>(3, -4, 0)) { Constants = [0] },
        new("known elements", 13, "Neg", TensorData.Vector<long>(3, -4, 0)) { Constants = [0] },
        new("integers", 13, "Sign", TensorData.Vector<long>(3, -4, 0)),
        new("integers", 13, "Log", TensorData.Vector<long>(3, 4)) { Refusal = "Int64" },
        new("scalar", 13, "Exp", Normal(1)),
        new("both signs", 10, "IsInf", Extremes) { NoGradients = "bool" },
        new("negative only", 20, "IsInf", Extremes) { Attributes = [Attr.Of("detect_positive", 0)], NoGradients = "bool" },
        new("positive only", 10, "IsInf", Extremes) { Attributes = [Attr.Of("detect_negative", 0)], NoGradients = "bool" },
        new("neither", 20, "IsInf", Extremes) { Attributes = [Attr.Of("detect_positive", 0), Attr.Of("detect_negative", 0)], NoGradients = "bool" },
        new("truth", 7, "Not", TensorData.Vector(true, false)),
        new("floats", 7, "Not", Normal(1, 2)) { Refusal = "Float32" },
        new("bytes", 18, "BitwiseNot", TensorData.Vector<byte>(3, 255)),
        new("integers", 18, "BitwiseNot", TensorData.Vector(3, -4)),
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static OperatorCase[] Both(string op, int first, int last, TensorData x) => [new("old", first, op, x), new("new", last, op, x)];
}
