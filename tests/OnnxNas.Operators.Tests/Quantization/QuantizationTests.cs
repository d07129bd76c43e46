using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Quantization;

[TestClass]
public sealed class QuantizationTests
{
    private const string Integers = "integers pass no gradient";

    private static readonly TensorData X = Uniform(1, -4, 4, 2, 3, 4);
    private static readonly TensorData Scale = TensorData.Scalar(0.05f);
    private static readonly TensorData Scales = TensorData.Vector(0.02f, 0.05f, 0.1f);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from opset in (int[])[10, 13, 19, 21, 23]
           select new OperatorCase("uint8", opset, "QuantizeLinear", X, Scale, TensorData.Scalar((byte)100)) { NoGradients = Integers },
        new("without a zero point", 13, "QuantizeLinear", X, Scale) { NoGradients = Integers },
        new("int8 per axis", 13, "QuantizeLinear", X, Scales, TensorData.Vector<sbyte>(1, -2, 3)) { Attributes = [Attr.Of("axis", 1)], NoGradients = Integers },
        new("uint16", 21, "QuantizeLinear", X, Scale, TensorData.Scalar((ushort)1000)) { NoGradients = Integers },
        new("int16 by output_dtype", 21, "QuantizeLinear", X, Scale) { Attributes = [Attr.Of("output_dtype", 5)], NoGradients = Integers },
        new("blocks", 21, "QuantizeLinear", X, Uniform(2, 0.02f, 0.1f, 2, 3, 2)) { Attributes = [Attr.Of("axis", 2), Attr.Of("block_size", 2)], NoGradients = Integers },
        new("int4", 21, "QuantizeLinear", X, Scale) { Attributes = [Attr.Of("output_dtype", 22)], Refusal = "Int4" },
        new("scales that do not fit", 13, "QuantizeLinear", X, Scales, TensorData.Vector<sbyte>(1, -2, 3)) { Attributes = [Attr.Of("axis", 2)], Refusal = "along axis 2" },
        .. from opset in (int[])[10, 13, 19, 21, 23]
           select new OperatorCase("uint8", opset, "DequantizeLinear", Bytes(1, 3, 4), Scale, TensorData.Scalar((byte)100)),
        new("int8 per axis", 13, "DequantizeLinear", Bytes(1, 2, 3).As(ElementType.Int8), Scales, TensorData.Vector<sbyte>(1, -2, 3)) { Attributes = [Attr.Of("axis", -1)] },
        new("int32", 13, "DequantizeLinear", Int64s(1, -1000, 1000, 3).As(ElementType.Int32), Scale),
        new("blocks", 21, "DequantizeLinear", Bytes(1, 2, 4), Uniform(2, 0.02f, 0.1f, 2, 2)) { Attributes = [Attr.Of("axis", 1), Attr.Of("block_size", 2)] },
        new("both signs", 11, "DynamicQuantizeLinear", X) { Outputs = 3, NoGradients = Integers },
        new("positive", 11, "DynamicQuantizeLinear", Uniform(1, 1, 4, 2, 3)) { Outputs = 3, NoGradients = Integers },
        new("zeros", 11, "DynamicQuantizeLinear", TensorData.Vector(0f, 0f)) { Outputs = 3, NoGradients = Integers, NoOracle = "any scale will do" },
        new("empty", 11, "DynamicQuantizeLinear", Normal(1, 0)) { Outputs = 3, Refusal = "not empty" },
        new("product", 10, "MatMulInteger", Bytes(1, 2, 3), Bytes(2, 3, 4), TensorData.Scalar((byte)12), TensorData.Scalar((byte)3)),
        new("zero points of columns", 10, "MatMulInteger", Bytes(1, 2, 3), Bytes(2, 3, 2).As(ElementType.Int8), TensorData.Scalar((byte)12), TensorData.Vector<sbyte>(3, 4)),
        new("scaled product", 10, "QLinearMatMul", Bytes(1, 2, 3), Scale, TensorData.Scalar((byte)12), Bytes(2, 3, 4), Scale, TensorData.Scalar((byte)30), TensorData.Scalar(9f), TensorData.Scalar((byte)90)) { NoGradients = Integers },
        new("shapes that do not multiply", 10, "MatMulInteger", Bytes(1, 2, 3), Bytes(2, 2, 4)) { Refusal = "do not multiply" },
        new("planes", 10, "ConvInteger", Bytes(1, 1, 2, 4, 4), Bytes(2, 3, 2, 2, 2), TensorData.Scalar((byte)12), TensorData.Scalar((byte)3)) { Attributes = [Attr.Of("pads", [1L, 1, 0, 0])] },
        new("scaled, per channel", 10, "QLinearConv", Bytes(1, 1, 2, 4, 4), Scale, TensorData.Scalar((byte)12), Bytes(2, 3, 2, 2, 2).As(ElementType.Int8), Scales, TensorData.Vector<sbyte>(0, 0, 0), TensorData.Scalar(3f), TensorData.Scalar((byte)90), TensorData.Vector(100, -200, 300))
        {
            NoGradients = Integers,
        },
        new("channels that do not fit", 10, "ConvInteger", Bytes(1, 1, 3, 4, 4), Bytes(2, 3, 2, 2, 2)) { Refusal = "channels" },
    ];

    private static TensorData Bytes(long seed, params long[] dims) => Int64s(seed, 0, 100, dims).As(ElementType.UInt8);

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
