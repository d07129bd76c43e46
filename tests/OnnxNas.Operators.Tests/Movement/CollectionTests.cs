using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Movement;

/// <summary>Operators that pick, drop and put together places.</summary>
[TestClass]
public sealed class CollectionTests
{
    private static readonly TensorData X = Normal(1, 3, 4, 5);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("both ways", 18, "CenterCropPad", X, TensorData.Vector<long>(5, 3, 5)) { Constants = [1] },
        new("of axes", 18, "CenterCropPad", X, TensorData.Vector<long>(2, 8)) { Constants = [1], Attributes = [Attr.Of("axes", [-1L, 1])] },
        new("too few", 18, "CenterCropPad", X, TensorData.Vector<long>(2, 8)) { Refusal = "3 axes" },
        new("an image", 18, "Col2Im", Normal(1, 2, 12, 4), TensorData.Vector<long>(3, 4), TensorData.Vector<long>(2, 3)) { Constants = [1, 2] },
        new("gaps and pads", 18, "Col2Im", Normal(1, 1, 4, 6), TensorData.Vector<long>(5, 5), TensorData.Vector<long>(2, 2))
        {
            Constants = [1, 2],
            Attributes = [Attr.Of("dilations", [1L, 2]), Attr.Of("strides", [2L, 2]), Attr.Of("pads", [0L, 1, 1, 1])],
            Inputs = [Normal(1, 1, 4, 9), TensorData.Vector<long>(5, 5), TensorData.Vector<long>(2, 2)],
        },
        new("places that do not fit", 18, "Col2Im", Normal(1, 2, 12, 5), TensorData.Vector<long>(3, 4), TensorData.Vector<long>(2, 3)) { Refusal = "must be [N,C·6,4]" },
        new("linear", 24, "TensorScatter", Normal(1, 2, 1, 5, 2), Normal(2, 2, 1, 2, 2), TensorData.Vector<long>(1, 3)) { NoOracle = "ONNX's own cases cover it" },
        new("circular", 24, "TensorScatter", Normal(1, 2, 5, 2), Normal(2, 2, 2, 2), TensorData.Vector<long>(4, 0)) { Attributes = [Attr.Of("mode", "circular")], NoOracle = "ONNX's own cases cover it" },
        new("past the end", 24, "TensorScatter", Normal(1, 2, 5, 2), Normal(2, 2, 2, 2), TensorData.Vector<long>(4, 0)) { Refusal = "find room" },
        .. from opset in (int[])[9, 11]
           select new OperatorCase("axis", opset, "Compress", X, TensorData.Vector(true, false, true)) { Attributes = [Attr.Of("axis", 1)], DynamicShape = true },
        new("elements", 11, "Compress", X, TensorData.Vector(true, false, true)) { DynamicShape = true },
        new("too long", 11, "Compress", X, TensorData.Vector(true, false, true, true)) { Attributes = [Attr.Of("axis", 0)], Refusal = "at most 3" },
        new("time first", 10, "ReverseSequence", X, TensorData.Vector<long>(1, 3, 2, 0)) { NoOracle = null },
        new("batch first", 10, "ReverseSequence", X, TensorData.Vector<long>(1, 4, 2)) { Attributes = [Attr.Of("batch_axis", 0), Attr.Of("time_axis", 1)] },
        new("too long", 10, "ReverseSequence", X, TensorData.Vector<long>(1, 4, 2, 1)) { Refusal = "0 to 3" },
        .. from sorted in (int[])[0, 1]
           from axis in (long?[])[null, 0, 1]
           select new OperatorCase($"sorted {sorted} along {axis}", 11, "Unique", TensorData.Create<float>([3, 4], [3, 1, 3, 2, 0, 1, 0, 1, 3, 1, 3, 2]))
           {
               Outputs = 4,
               DynamicShape = true,
               Attributes = [Attr.Of("sorted", sorted), .. axis is { } a ? [Attr.Of("axis", a)] : Array.Empty<Attr>()],
               NoGradients = "equal elements jump",
           },
        .. from sorted in (int[])[0, 1]
           select new OperatorCase($"different elements, sorted {sorted}", 11, "Unique", Distinct(1, 5)) { Outputs = 4, DynamicShape = true, Attributes = [Attr.Of("sorted", sorted)] },
        new("empty", 11, "Unique", Normal(1, 0)) { Outputs = 4, Refusal = "empty" },
        .. from opset in (int[])[10, 11]
           from centred in (int[])[0, 1]
           select new OperatorCase($"centred {centred}", opset, "NonMaxSuppression", Uniform(1, 0.2f, 1, 2, 6, 4), Uniform(2, 0, 1, 2, 2, 6), TensorData.Scalar(3L), TensorData.Scalar(0.3f), TensorData.Scalar(0.2f))
           {
               DynamicShape = true,
               Attributes = [Attr.Of("center_point_box", centred)],
               NoGradients = "indices",
           },
        new("boxes that do not fit", 11, "NonMaxSuppression", Normal(1, 2, 6, 4), Normal(2, 2, 2, 5)) { Refusal = "must be [B,N,4]" },
        new("floats as integers", 26, "BitCast", X) { Attributes = [Attr.Of("to", 6)], NoGradients = "bits", NoOracle = "ONNX's own cases cover it" },
        .. from type in TypeSets.All
           from to in TypeSets.All.Where(t => t != type && t.BitWidth() == type.BitWidth() && type != ElementType.Bool && t != ElementType.Bool)
           select new OperatorCase($"{type} as {to}", 26, "BitCast", Int64s(1, 0, 9, 2, 3).As(type)) { Attributes = [Attr.Of("to", (long)to)], NoGradients = "bits", NoOracle = "ONNX's own cases cover it" },
        new("another width", 26, "BitCast", X) { Attributes = [Attr.Of("to", 7)], Refusal = "widths" },
        .. from type in (ElementType[])[ElementType.UInt8, ElementType.UInt16, ElementType.UInt32, ElementType.UInt64]
           from direction in (string[])["LEFT", "RIGHT"]
           select new OperatorCase($"{type} {direction}", 11, "BitShift", Unsigned(type, 200, 7, 16), Unsigned(type, 1, 2, 3)) { Attributes = [Attr.Of("direction", direction)], NoOracle = type == ElementType.UInt16 ? "ONNX Runtime has no such kernel" : null },
        .. from op in (string[])["Add", "Sub", "Mul", "Div", "Mod", "Min", "Less"]
           select new OperatorCase("uint32", 14, op, Unsigned(ElementType.UInt32, 200, 7, 16), Unsigned(ElementType.UInt32, 3, 9, 5)),
    ];

    private static TensorData Unsigned(ElementType type, params byte[] values) => type switch
    {
        ElementType.UInt16 => TensorData.Vector<ushort>([.. values]),
        ElementType.UInt32 => TensorData.Vector<uint>([.. values]),
        ElementType.UInt64 => TensorData.Vector<ulong>([.. values]),
        _ => TensorData.Vector<byte>(values),
    };

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
