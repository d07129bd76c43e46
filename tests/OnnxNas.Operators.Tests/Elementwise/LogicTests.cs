using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Elementwise;

[TestClass]
public sealed class LogicTests
{
    private static readonly TensorData Left = TensorData.Vector(true, true, false, false);
    private static readonly TensorData Right = TensorData.Vector(true, false, true, false);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from op in new[] { "Equal", "Greater", "Less" }
           from opset in new[] { 11, 13 }
           from x in new[] { Int64s(1, 0, 3, 2, 4), Normal(1, 2, 4) }
           select new OperatorCase($"{x.Type}", opset, op, x, x.Type == ElementType.Int64 ? Int64s(2, 0, 3, 4) : Normal(2, 4)),
        .. from op in new[] { "GreaterOrEqual", "LessOrEqual" }
           from opset in new[] { 12, 16 }
           select new OperatorCase("integers", opset, op, Int64s(1, 0, 3, 2, 4), Int64s(2, 0, 3, 4)),
        .. from op in new[] { "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual" }
           select new OperatorCase("known elements", 16, op, TensorData.Vector<long>(1, 2, 3), TensorData.Vector<long>(2)) { Constants = [0, 1] },
        .. from op in new[] { "And", "Or", "Xor" } select new OperatorCase("truth table", 7, op, Left, Right),
        .. from op in new[] { "BitwiseAnd", "BitwiseOr", "BitwiseXor" }
           from type in new[] { ElementType.UInt8, ElementType.Int32, ElementType.Int64 }
           select new OperatorCase($"{type}", 18, op, Int64s(1, 0, 100, 2, 3).As(type), Int64s(2, 0, 100, 3).As(type)),
        new("truth", 7, "Equal", Left, Right),
        new("floats", 7, "And", Normal(1, 2), Normal(2, 2)) { Refusal = "Float32" },
        new("mismatch", 13, "Less", Normal(1, 2), Normal(2, 3)) { Refusal = "do not broadcast" },
        new("chosen by rows", 9, "Where", TensorData.Create([2, 1], [true, false]), Normal(1, 2, 3), Normal(2, 3)),
        new("known elements", 16, "Where", TensorData.Vector(true, false), TensorData.Vector<long>(1), TensorData.Vector<long>(5, 6)) { Constants = [0, 1, 2] },
        new("integers", 16, "Where", TensorData.Vector(true, false), TensorData.Vector<long>(1), TensorData.Vector<long>(5, 6)),
        new("mismatch", 16, "Where", TensorData.Vector(true, false), Normal(1, 3), Normal(2)) { Refusal = "do not broadcast" },
        new("condition of integers", 16, "Where", TensorData.Vector<long>(1, 0), Normal(1, 2), Normal(2)) { Refusal = "bool" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
