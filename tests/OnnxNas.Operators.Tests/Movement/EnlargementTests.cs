using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Movement;

/// <summary>Expand, Tile, Pad and Trilu.</summary>
[TestClass]
public sealed class EnlargementTests
{
    private static readonly TensorData X = Normal(1, 2, 3, 4);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("stretch", 8, "Expand", Normal(1, 3, 1), Vector(2, 3, 4)) { Constants = [1] },
        new("shape smaller than the input", 13, "Expand", X, Vector(3, 1)) { Constants = [1] },
        new("at run time", 13, "Expand", Normal(1, 3, 1), Vector(3, 4)) { DynamicShape = true },
        new("known elements", 13, "Expand", Vector(7), Vector(3)) { Constants = [0, 1] },
        new("mismatch", 13, "Expand", X, Vector(3, 5)) { Refusal = "does not expand" },
        new("negative", 13, "Expand", X, Vector(-1, 4)) { Refusal = "does not expand" },
        new("known to be negative", 13, "Expand", X, Vector(2, -1, 4)) { Refusal = "negative", Constants = [1] },
        new("more than can be counted", 13, "Expand", Normal(1, 1), Vector(1L << 40, 1L << 40)) { Refusal = "count" },
        new("each axis", 7, "Tile", X, Vector(2, 1, 3)) { Constants = [1] },
        new("none", 13, "Tile", X, Vector(1, 0, 1)) { Constants = [1], NoGradients = "no elements" },
        new("at run time", 13, "Tile", X, Vector(1, 2, 1)) { DynamicShape = true },
        new("more than can be counted", 13, "Tile", X, Vector(1L << 40, 1, 1L << 40)) { Refusal = "count" },
        new("too few", 13, "Tile", X, Vector(1, 2)) { Refusal = "do not fit" },
        new("attributes", 7, "Pad", X) { Attributes = [Attr.Of("pads", [0L, 1L, 2L, 0L, 0L, 1L]), Attr.Of("value", 1.5f)] },
        new("reflecting attributes", 7, "Pad", X) { Attributes = [Attr.Of("pads", [0L, 1L, 2L, 0L, 0L, 1L]), Attr.Of("mode", "reflect")] },
        new("inputs", 11, "Pad", X, Vector(0, 1, 2, 0, 0, 1), TensorData.Scalar(1.5f)) { Constants = [1] },
        new("crop", 13, "Pad", X, Vector(0, -1, 2, 0, 0, -1)) { Constants = [1] },
        new("reflect", 13, "Pad", X, Vector(0, 2, 3, 1, 1, 2)) { Constants = [1], Attributes = [Attr.Of("mode", "reflect")] },
        new("edge", 13, "Pad", X, Vector(0, 2, 3, 1, 1, 2)) { Constants = [1], Attributes = [Attr.Of("mode", "edge")] },
        new("wrap", 19, "Pad", X, Vector(0, 2, 3, 1, 1, 2)) { Constants = [1], Attributes = [Attr.Of("mode", "wrap")] },
        new("axes", 18, "Pad", X, Vector(2, 1, 0, 1), null, Vector(-1, 1)) { Constants = [1, 3] },
        new("at run time", 21, "Pad", X, Vector(0, 1, 2, 0, 0, 1)) { DynamicShape = true },
        new("integers", 13, "Pad", Int64s(1, 0, 9, 2, 3), Vector(1, 1, 0, 2), TensorData.Scalar(7L)) { Constants = [1] },
        new("wrap in an old version", 18, "Pad", X, Vector(0, 0, 0, 1, 1, 1)) { Attributes = [Attr.Of("mode", "wrap")], Refusal = "wrap" },
        new("too few pads", 13, "Pad", X, Vector(1, 1)) { Refusal = "2 pads" },
        new("crop too much", 13, "Pad", X, Vector(0, -4, 0, 0, 0, 0)) { Refusal = "pads" },
        new("crop too much, known", 13, "Pad", X, Vector(0, -4, 0, 0, 0, 0)) { Constants = [1], Refusal = "crop" },
        new("far too much", 13, "Pad", X, Vector(0, long.MaxValue, 0, 0, 1, 0)) { Refusal = "pads" },
        new("reflect nothing", 13, "Pad", Normal(1, 0, 2), Vector(1, 0, 0, 0)) { Attributes = [Attr.Of("mode", "reflect")], Refusal = "nothing to pad" },
        new("upper", 14, "Trilu", X),
        new("lower from a diagonal", 14, "Trilu", X, TensorData.Scalar(1L)) { Constants = [1], Attributes = [Attr.Of("upper", 0)] },
        new("far diagonal", 14, "Trilu", X, TensorData.Scalar(long.MinValue)) { NoOracle = "ONNX Runtime overflows" },
        new("integers", 14, "Trilu", Int64s(1, 1, 9, 3, 3), TensorData.Scalar(-1L)),
        new("a vector", 14, "Trilu", Normal(1, 3)) { Refusal = "two axes" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static TensorData Vector(params long[] values) => TensorData.Vector<long>(values);
}
