using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class ConvTests
{
    public static IEnumerable<OperatorCase> Rows =>
    [
        new("3x3", 7, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 3, 3, 3), Normal(3, 4)) { Weights = [1, 2], Attributes = [Pads(1, 1, 1, 1), Kernel(3, 3)] },
        new("without bias", 11, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 3, 3, 3)) { Weights = [1] },
        new("groups, strides, dilations", 22, "Conv", Normal(1, 2, 4, 9, 8), Normal(2, 6, 2, 3, 2), Normal(3, 6))
        {
            Weights = [1, 2],
            Attributes = [Attr.Of("group", 2), Strides(2, 1), Dilations(2, 3), Pads(2, 1, 2, 1)],
        },
        new("depthwise", 11, "Conv", Normal(1, 2, 4, 6, 6), Normal(2, 4, 1, 3, 3)) { Weights = [1], Attributes = [Attr.Of("group", 4), Pads(1, 1, 1, 1)] },
        new("asymmetric pads", 11, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 3, 3, 3), Normal(3, 4)) { Attributes = [Pads(0, 1, 2, 0)] },
        new("SAME_UPPER", 11, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 3, 2, 3)) { Attributes = [Attr.Of("auto_pad", "SAME_UPPER"), Strides(2, 2)] },
        new("SAME_LOWER", 11, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 3, 2, 3)) { Attributes = [Attr.Of("auto_pad", "SAME_LOWER"), Strides(2, 2)] },
        new("VALID", 11, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 3, 2, 3)) { Attributes = [Attr.Of("auto_pad", "VALID")] },
        new("one axis", 11, "Conv", Normal(1, 2, 3, 9), Normal(2, 4, 3, 3), Normal(3, 4)) { Weights = [1, 2], Attributes = [Strides(2), Pads(1, 2)] },
        new("three axes", 11, "Conv", Normal(1, 1, 2, 4, 5, 4), Normal(2, 3, 2, 2, 3, 2), Normal(3, 3)) { Weights = [1, 2], Attributes = [Pads(1, 1, 0, 1, 1, 0)] },
        new("channels that do not fit", 11, "Conv", Normal(1, 2, 3, 6, 5), Normal(2, 4, 2, 3, 3)) { Refusal = "channels" },
        new("window larger than the input", 11, "Conv", Normal(1, 2, 3, 2, 5), Normal(2, 4, 3, 3, 3)) { Refusal = "larger than the padded input" },
    ];

    public static IEnumerable<OperatorCase> Transposed =>
    [
        new("plain", 7, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3), Normal(3, 2)) { Weights = [1, 2] },
        new("strides, pads, output_padding", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3), Normal(3, 2))
        {
            Weights = [1, 2],
            Attributes = [Strides(2, 3), Pads(1, 1, 1, 1), Attr.Of("output_padding", [1L, 2]), Kernel(3, 3)],
        },
        new("groups and dilations", 22, "ConvTranspose", Normal(1, 2, 4, 4, 3), Normal(2, 4, 3, 2, 2)) { Weights = [1], Attributes = [Attr.Of("group", 2), Dilations(2, 3)] },
        new("asymmetric pads", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3), Normal(3, 2)) { Attributes = [Strides(2, 2), Pads(0, 1, 2, 0)] },
        new("asymmetric pads, output_padding", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3), Normal(3, 2))
        {
            Attributes = [Strides(2, 2), Pads(0, 1, 1, 0), Attr.Of("output_padding", [1L, 1])],
        },
        new("output_shape", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3), Normal(3, 2)) { Attributes = [Strides(2, 2), Attr.Of("output_shape", [8L, 10])] },
        new("output_shape larger than there is", 11, "ConvTranspose", Normal(1, 1, 1, 3, 3), Normal(2, 1, 2, 3, 3), Normal(3, 2)) { Attributes = [Strides(3, 2), Attr.Of("output_shape", [10L, 8])] },
        new("output_shape, SAME_UPPER", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3)) { Attributes = [Strides(2, 2), Attr.Of("output_shape", [8L, 10]), Attr.Of("auto_pad", "SAME_UPPER")] },
        new("SAME_UPPER", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 4)) { Attributes = [Strides(2, 2), Attr.Of("auto_pad", "SAME_UPPER")] },
        new("SAME_LOWER", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 4)) { Attributes = [Strides(2, 2), Attr.Of("auto_pad", "SAME_LOWER")] },
        new("SAME_UPPER, stride above kernel", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 2, 1), Normal(3, 2)) { Attributes = [Strides(3, 2), Attr.Of("auto_pad", "SAME_UPPER")] },
        new("VALID", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 3, 2, 3, 3)) { Attributes = [Attr.Of("auto_pad", "VALID")] },
        new("one axis", 11, "ConvTranspose", Normal(1, 2, 3, 5), Normal(2, 3, 2, 3), Normal(3, 2)) { Weights = [1, 2], Attributes = [Strides(2), Pads(1, 0)] },
        new("three axes", 11, "ConvTranspose", Normal(1, 1, 2, 3, 2, 3), Normal(2, 2, 2, 2, 3, 2)) { Weights = [1], Attributes = [Strides(2, 1, 2), Pads(1, 1, 0, 1, 1, 0)] },
        new("channels that do not fit", 11, "ConvTranspose", Normal(1, 2, 3, 4, 5), Normal(2, 4, 2, 3, 3)) { Refusal = "channels" },
        new("pads larger than the output", 11, "ConvTranspose", Normal(1, 2, 3, 1, 1), Normal(2, 3, 2, 3, 3)) { Attributes = [Pads(2, 2, 2, 2)], Refusal = "too large" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    [DynamicData(nameof(Transposed))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    internal static Attr Kernel(params long[] values) => Attr.Of("kernel_shape", values);

    internal static Attr Strides(params long[] values) => Attr.Of("strides", values);

    internal static Attr Dilations(params long[] values) => Attr.Of("dilations", values);

    internal static Attr Pads(params long[] values) => Attr.Of("pads", values);
}
