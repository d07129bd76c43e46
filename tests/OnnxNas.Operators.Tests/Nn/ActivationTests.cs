using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class ActivationTests
{
    private static readonly TensorData X = Normal(1, 2, 3, 4);

    private static readonly TensorData Wide = Uniform(2, -6, 6, 3, 7);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("version 6", 7, "Relu", X),
        new("version 13", 13, "Relu", X),
        new("version 14", 14, "Relu", X),
        new("integers", 14, "Relu", Int64s(1, -5, 5, 7).As(ElementType.Int32)),
        new("half", 14, "Relu", X.As(ElementType.Float16)),
        new("bfloat16", 14, "Relu", X.As(ElementType.BFloat16)) { NoOracle = "ONNX Runtime has no such kernel" },
        new("scalar", 14, "Relu", Normal(5)),
        new("no elements", 14, "Relu", Normal(5, 0, 3)) { NoGradients = "no elements" },
        new("version 6", 7, "Sigmoid", Wide),
        new("version 13", 13, "Sigmoid", Wide),
        new("version 6", 7, "Tanh", Wide),
        new("version 13", 13, "Tanh", Wide),
        new("default", 14, "HardSwish", Wide),
        new("version 22", 22, "HardSwish", Wide),
        new("default", 18, "Mish", Wide),
        new("version 22", 22, "Mish", Wide) { NoOracle = NoKernel },
        new("default", 7, "Softplus", Wide),
        new("large values", 7, "Softplus", Uniform(1, -60, 60, 30)),
        new("version 22", 22, "Softplus", Wide),
        new("default", 7, "Softsign", Wide),
        new("version 22", 22, "Softsign", Wide),
        new("default", 7, "LeakyRelu", X),
        new("slope 0.3", 16, "LeakyRelu", X) { Attributes = [Attr.Of("alpha", 0.3f)] },
        new("negative slope", 16, "LeakyRelu", X) { Attributes = [Attr.Of("alpha", -0.3f)] },
        new("default", 7, "Elu", X),
        new("alpha 2", 22, "Elu", X) { Attributes = [Attr.Of("alpha", 2f)] },
        new("default", 12, "Celu", X),
        new("alpha 2", 12, "Celu", X) { Attributes = [Attr.Of("alpha", 2f)] },
        new("version 28", 28, "Celu", X) { Attributes = [Attr.Of("alpha", 0.7f)], Composition = (graph, inputs) => [graph.Call("Celu", inputs, attributes: [Attr.Of("alpha", 0.7f)])] },
        new("alpha 0", 12, "Celu", X) { Attributes = [Attr.Of("alpha", 0f)], Refusal = "alpha is 0" },
        new("default", 7, "Selu", X),
        new("own constants", 22, "Selu", X) { Attributes = [Attr.Of("alpha", 2f), Attr.Of("gamma", 3f)] },
        new("default", 10, "ThresholdedRelu", X),
        new("threshold -0.5", 22, "ThresholdedRelu", X) { Attributes = [Attr.Of("alpha", -0.5f)] },
        new("default", 7, "HardSigmoid", Wide),
        new("as PyTorch writes it", 14, "HardSigmoid", Wide) { Attributes = [Attr.Of("alpha", 1f / 6)] },
        new("own constants", 22, "HardSigmoid", Wide) { Attributes = [Attr.Of("alpha", 0.5f), Attr.Of("beta", 0.6f)] },
        new("exact", 20, "Gelu", Wide),
        new("tanh", 20, "Gelu", Wide) { Attributes = [Attr.Of("approximate", "tanh")] },
        new("another approximation", 20, "Gelu", Wide) { Attributes = [Attr.Of("approximate", "sigmoid")], Refusal = "approximate 'sigmoid'" },
        new("default", 24, "Swish", Wide),
        new("alpha 1.7", 24, "Swish", Wide) { Attributes = [Attr.Of("alpha", 1.7f)] },
        new("default", 9, "Shrink", X),
        new("hard", 9, "Shrink", X) { Attributes = [Attr.Of("lambd", 0.7f), Attr.Of("bias", 0.2f)] },
        new("integers", 9, "Shrink", Int64s(1, -5, 5, 12).As(ElementType.Int32)) { Attributes = [Attr.Of("lambd", 1.5f), Attr.Of("bias", 1.5f)] },
        new("an attribute of another operator", 14, "Relu", X) { Attributes = [Attr.Of("alpha", 0.1f)], Refusal = "'alpha'" },
        new("before its first version", 13, "HardSwish", X) { Refusal = "from opset 14 on" },
    ];

    public static IEnumerable<OperatorCase> WithBounds =>
    [
        new("attributes", 7, "Clip", X) { Attributes = [Attr.Of("min", -0.5f), Attr.Of("max", 0.7f)] },
        new("attributes left out", 10, "Clip", X),
        new("inputs", 11, "Clip", X, TensorData.Scalar(-0.5f), TensorData.Scalar(0.7f)) { Weights = [1, 2] },
        new("only max", 12, "Clip", X, null, TensorData.Scalar(0.7f)) { Weights = [2] },
        new("only min", 13, "Clip", X, TensorData.Scalar(-0.2f)) { Weights = [1] },
        new("neither", 13, "Clip", X),
        new("min above max", 13, "Clip", X, TensorData.Scalar(0.7f), TensorData.Scalar(-0.5f)),
        new("integers", 13, "Clip", Int64s(1, -9, 9, 20), TensorData.Scalar(-3L), TensorData.Scalar(4L)),
        new("bytes", 12, "Clip", Int64s(1, 0, 200, 20).As(ElementType.UInt8), TensorData.Scalar((byte)7), TensorData.Scalar((byte)99)),
        new("a bound that is no scalar", 13, "Clip", X, Normal(1, 2)) { Refusal = "must be a scalar" },
        new("bounds as attributes of version 11", 11, "Clip", X) { Attributes = [Attr.Of("min", 0f)], Refusal = "'min'" },
        new("slope per channel", 7, "PRelu", Normal(1, 2, 3, 4, 5), Uniform(2, -0.5f, 1.5f, 3, 1, 1)) { Weights = [1] },
        new("one slope", 9, "PRelu", Normal(1, 2, 3, 4, 5), Uniform(2, -0.5f, 1.5f, 1)) { Weights = [1] },
        new("slope per element", 16, "PRelu", Normal(1, 2, 3, 4), Uniform(2, -0.5f, 1.5f, 3, 4)) { Weights = [1] },
        new("slope along the last axis", 16, "PRelu", Normal(1, 2, 3, 4), Uniform(2, -0.5f, 1.5f, 4)) { Weights = [1] },
        new("slope of a matrix", 16, "PRelu", Normal(1, 2, 3), Uniform(2, -0.5f, 1.5f, 3)) { Weights = [1] },
        new("slope of the same shape", 16, "PRelu", Normal(1, 1, 3, 1), Uniform(2, -0.5f, 1.5f, 1, 3, 1)) { Weights = [1] },
        new("integers", 16, "PRelu", Int64s(1, -5, 5, 3, 4).As(ElementType.Int32), Int64s(2, 0, 3, 4).As(ElementType.Int32)) { NoOracle = NoKernel },
        new("slope that does not fit", 16, "PRelu", Normal(1, 2, 3, 4), Normal(2, 3)) { Refusal = "does not broadcast" },
    ];

    public static IEnumerable<OperatorCase> AlongAnAxis =>
    [
        .. from op in (string[])["Softmax", "LogSoftmax", "Hardmax"] from row in Softmaxes(op) select row,
        new("axis out of range", 13, "Softmax", X) { Attributes = [Attr.Of("axis", 3)], Refusal = "axis 3" },
        new("half", 13, "Softmax", X.As(ElementType.Float16)) { Absolute = 2e-3 },
    ];

    private const string NoKernel = "ONNX Runtime has no such kernel";

    private static IEnumerable<OperatorCase> Softmaxes(string op) =>
    [
        new("flattens from axis 1", 7, op, X),
        new("flattens from axis 2", 11, op, X) { Attributes = [Attr.Of("axis", 2)] },
        new("flattens from axis 0", 11, op, X) { Attributes = [Attr.Of("axis", 0)] },
        new("flattens from axis -2", 11, op, X) { Attributes = [Attr.Of("axis", -2)] },
        new("last axis", 13, op, X),
        new("axis 1", 13, op, X) { Attributes = [Attr.Of("axis", 1)] },
        new("large values", 13, op, Uniform(1, -500, 500, 3, 5)),
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    [DynamicData(nameof(WithBounds))]
    [DynamicData(nameof(AlongAnAxis))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    [DataRow(-1000, 0)]
    [DataRow(-40, 4.248354255291589e-18)] // e^-40
    [DataRow(0, 0.6931471805599453)]
    [DataRow(20.5, 20.500000001250154)] // 20.5 + e^-20.5
    [DataRow(1000, 1000)]
    [DataRow(double.PositiveInfinity, double.PositiveInfinity)]
    [DataRow(double.NegativeInfinity, 0)]
    public void Softplus_is_exact_far_from_zero(double x, double expected)
    {
        var net = new NetBuilder();
        using var module = new GraphModule(net.Build((net.Op("Softplus", net.Input("x", 1)), [1])));
        var y = module.Evaluate(new Dictionary<string, TensorData> { ["x"] = TensorData.Vector<double>([x]) })[0].ToDoubles()[0];
        Assert.AreEqual(expected, y, double.IsInfinity(expected) ? 0 : 1e-15 * expected);
    }
}
