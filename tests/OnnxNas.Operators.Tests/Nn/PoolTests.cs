using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Operators.Tests.Nn.ConvTests;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class PoolTests
{
    private static readonly TensorData X = Distinct(1, 2, 2, 7, 6);

    private static Attr Ceil => Attr.Of("ceil_mode", 1);

    private static Attr Same(string side) => Attr.Of("auto_pad", $"SAME_{side}");

    public static IEnumerable<OperatorCase> Max =>
    [
        new("3x3, stride 2", 7, "MaxPool", X) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(1, 1, 1, 1)] },
        new("asymmetric pads", 8, "MaxPool", Negative) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(0, 1, 2, 0)] },
        new("pads above half the window", 11, "MaxPool", Negative) { Attributes = [Kernel(3, 3), Pads(2, 2, 2, 2)] },
        new("ceil_mode", 10, "MaxPool", X) { Attributes = [Kernel(2, 3), Strides(2, 2), Ceil] },
        new("ceil_mode, asymmetric pads", 11, "MaxPool", Negative) { Attributes = [Kernel(3, 3), Strides(3, 2), Pads(1, 0, 0, 1), Ceil] },
        new("ceil_mode drops a window in the end padding", 12, "MaxPool", Distinct(3, 1, 1, 6, 6)) { Attributes = [Kernel(1, 1), Strides(2, 2), Ceil] },
        new("dilations", 12, "MaxPool", X) { Attributes = [Kernel(2, 2), Dilations(2, 3), Pads(1, 1, 1, 1)] },
        new("SAME_UPPER", 11, "MaxPool", Negative) { Attributes = [Kernel(2, 4), Strides(2, 1), Same("UPPER")] },
        new("SAME_LOWER", 11, "MaxPool", Negative) { Attributes = [Kernel(2, 4), Strides(2, 1), Same("LOWER")] },
        new("VALID", 11, "MaxPool", X) { Attributes = [Kernel(3, 2), Attr.Of("auto_pad", "VALID")] },
        new("one axis", 12, "MaxPool", Distinct(1, 2, 3, 9)) { Attributes = [Kernel(3), Strides(2), Pads(1, 1)] },
        new("three axes", 12, "MaxPool", Distinct(1, 2, 1, 4, 5, 4)) { Attributes = [Kernel(2, 3, 2), Pads(1, 1, 0, 0, 1, 1)] },
        new("bytes", 12, "MaxPool", Int64s(1, 0, 200, 1, 2, 6, 6).As(ElementType.UInt8)) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(1, 1, 1, 1)] },
        new("signed bytes, asymmetric pads", 12, "MaxPool", Int64s(1, -100, 0, 1, 2, 6, 6).As(ElementType.Int8)) { Attributes = [Kernel(3, 3), Pads(1, 0, 0, 0)] },
        new("version 22", 22, "MaxPool", X) { Attributes = [Kernel(2, 2)] },
        new("indices", 8, "MaxPool", X) { Outputs = 2, Attributes = [Kernel(3, 3), Strides(2, 2), Pads(1, 1, 1, 1)] },
        new("indices, asymmetric pads", 12, "MaxPool", X) { Outputs = 2, Attributes = [Kernel(3, 3), Strides(2, 2), Pads(0, 1, 2, 0)] },
        new("indices, ceil_mode", 12, "MaxPool", X) { Outputs = 2, Attributes = [Kernel(3, 3), Strides(2, 2), Ceil] },
        new("indices column by column", 12, "MaxPool", X) { Outputs = 2, Attributes = [Kernel(3, 3), Strides(2, 2), Attr.Of("storage_order", 1)] },
        new("indices of one axis", 12, "MaxPool", Distinct(1, 2, 3, 9)) { Outputs = 2, Attributes = [Kernel(3), Strides(2)] },
        new("indices of three axes", 12, "MaxPool", Distinct(1, 2, 2, 4, 5, 4)) { Outputs = 2, Attributes = [Kernel(2, 3, 2), Pads(1, 1, 0, 0, 1, 1)] },
        new("indices of three axes, first axis fastest", 12, "MaxPool", Distinct(1, 2, 2, 4, 5, 4)) { Outputs = 2, Attributes = [Kernel(2, 3, 2), Attr.Of("storage_order", 1)] },
        new("without kernel", 12, "MaxPool", X) { Refusal = "'kernel_shape' is missing" },
        new("dilations of version 8", 8, "MaxPool", X) { Attributes = [Kernel(2, 2), Dilations(2, 2)], Refusal = "'dilations'" },
        new("kernel of another rank", 12, "MaxPool", X) { Attributes = [Kernel(2)], Refusal = "kernel_shape has 1 entries" },
        new("strides of another rank", 12, "MaxPool", X) { Attributes = [Kernel(2, 2), Strides(2)], Refusal = "one number of spatial axes" },
        new("window larger than the input", 12, "MaxPool", X) { Attributes = [Kernel(9, 9)], Refusal = "larger than the padded input" },
    ];

    public static IEnumerable<OperatorCase> Average =>
    [
        new("3x3, stride 2", 7, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(1, 1, 1, 1)] },
        new("padding counts", 7, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(1, 1, 1, 1), Count] },
        new("asymmetric pads", 7, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(0, 1, 2, 0)] },
        new("asymmetric pads count", 11, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(2, 2), Pads(0, 1, 2, 0), Count] },
        new("ceil_mode", 10, "AveragePool", X) { Attributes = [Kernel(2, 3), Strides(2, 2), Ceil] },
        new("ceil_mode, padding counts", 19, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(3, 2), Pads(1, 1, 1, 1), Ceil, Count] },
        new("ceil_mode, asymmetric pads count", 19, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(3, 2), Pads(1, 0, 0, 1), Ceil, Count] },
        new("ceil_mode, asymmetric pads", 19, "AveragePool", X) { Attributes = [Kernel(3, 3), Strides(3, 2), Pads(1, 0, 0, 1), Ceil] },
        new("dilations", 19, "AveragePool", X) { Attributes = [Kernel(2, 2), Dilations(2, 3), Pads(1, 1, 1, 1)] },
        new("dilations, padding counts", 22, "AveragePool", X) { Attributes = [Kernel(2, 2), Dilations(2, 3), Pads(1, 1, 1, 1), Count] },
        new("dilations, ceil_mode", 19, "AveragePool", X) { Attributes = [Kernel(2, 2), Strides(2, 2), Dilations(2, 2), Ceil] },
        new("SAME_UPPER", 11, "AveragePool", X) { Attributes = [Kernel(2, 4), Strides(2, 1), Same("UPPER")] },
        new("SAME_LOWER, padding counts", 11, "AveragePool", X) { Attributes = [Kernel(2, 4), Strides(2, 1), Same("LOWER"), Count] },
        new("VALID", 11, "AveragePool", X) { Attributes = [Kernel(3, 2), Attr.Of("auto_pad", "VALID")] },
        new("one axis", 11, "AveragePool", Distinct(1, 2, 3, 9)) { Attributes = [Kernel(3), Strides(2), Pads(1, 1)] },
        new("three axes", 11, "AveragePool", Distinct(1, 2, 1, 4, 5, 4)) { Attributes = [Kernel(2, 3, 2), Pads(1, 1, 0, 0, 1, 1)] },
        new("dilations of version 11", 11, "AveragePool", X) { Attributes = [Kernel(2, 2), Dilations(2, 2)], Refusal = "'dilations'" },
    ];

    public static IEnumerable<OperatorCase> OtherPools =>
    [
        new("default p", 7, "LpPool", X) { Attributes = [Kernel(3, 3), Strides(2, 2)] },
        new("p 1, asymmetric pads", 11, "LpPool", X) { Attributes = [Kernel(3, 3), Pads(0, 1, 2, 0), Attr.Of("p", 1)] },
        new("p 3", 11, "LpPool", X) { Attributes = [Kernel(3, 2), Pads(1, 1, 1, 1), Attr.Of("p", 3)] },
        new("dilations, ceil_mode", 18, "LpPool", X) { Attributes = [Kernel(2, 2), Dilations(2, 2), Strides(2, 2), Ceil] },
        new("SAME_UPPER", 22, "LpPool", X) { Attributes = [Kernel(2, 2), Same("UPPER")] },
        new("one axis", 18, "LpPool", Distinct(1, 2, 3, 9)) { Attributes = [Kernel(3), Strides(2)] },
        new("three axes", 18, "LpPool", Distinct(1, 1, 2, 4, 3, 4)) { Attributes = [Kernel(2, 2, 3)] },
        new("p 0", 18, "LpPool", X) { Attributes = [Kernel(2, 2), Attr.Of("p", 0)], Refusal = "p is 0" },
        new("default p", 7, "GlobalLpPool", X),
        new("p 3", 7, "GlobalLpPool", X) { Attributes = [Attr.Of("p", 3)] },
        new("version 22", 22, "GlobalLpPool", X) { NoOracle = "ONNX Runtime has no such kernel" },
        new("planes", 7, "GlobalAveragePool", X),
        new("one axis", 22, "GlobalAveragePool", Normal(1, 2, 3, 5)),
        new("a matrix", 7, "GlobalAveragePool", Normal(1, 2, 3)) { Refusal = "rank 3" },
        new("planes", 7, "GlobalMaxPool", X),
        new("three axes", 22, "GlobalMaxPool", Distinct(1, 2, 2, 3, 2, 3)),
    ];

    private static Attr Count => Attr.Of("count_include_pad", 1);

    // Below zero, so that padding with zeros instead of nothing would win.
    private static TensorData Negative => Uniform(4, -9, -1, 2, 2, 7, 6);

    [TestMethod]
    [DynamicData(nameof(Max))]
    [DynamicData(nameof(Average))]
    [DynamicData(nameof(OtherPools))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
