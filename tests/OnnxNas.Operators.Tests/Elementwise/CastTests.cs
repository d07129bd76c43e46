using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Elementwise;

[TestClass]
public sealed class CastTests
{
    private static readonly TensorData Mixed = TensorData.Vector(-2.7f, -0.4f, 0f, 1.6f, 100.2f);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from to in new[] { ElementType.Int8, ElementType.Int16, ElementType.Int32, ElementType.Int64, ElementType.Bool, ElementType.Float16, ElementType.Float64 }
           from opset in new[] { 9, 13 }
           select new OperatorCase($"float to {to}", opset, "Cast", Mixed) { Attributes = [To(to)], NoGradients = to == ElementType.Float16 ? "too coarse for differences" : null },
        .. from @from in new[] { ElementType.Int8, ElementType.UInt8, ElementType.Int32, ElementType.Int64, ElementType.Bool, ElementType.Float16, ElementType.Float64 }
           select new OperatorCase($"{@from} to float", 13, "Cast", Int64s(1, 0, 100, 5).As(@from)) { Attributes = [To(ElementType.Float32)], NoGradients = "too coarse for differences" },
        new("to bfloat16", 13, "Cast", Mixed) { Attributes = [To(ElementType.BFloat16)], NoGradients = "too coarse for differences", NoOracle = "its result cannot be read as floats" },
        new("bytes", 9, "Cast", TensorData.Vector(1.5f, 254.9f)) { Attributes = [To(ElementType.UInt8)] },
        new("known elements", 13, "Cast", TensorData.Vector<long>(3, -1)) { Constants = [0], Attributes = [To(ElementType.Int32)] },
        new("known elements that wrap", 13, "Cast", TensorData.Vector(3, 1L << 40)) { Constants = [0], Attributes = [To(ElementType.Int32)] },
        new("saturate is of 8-bit floats", 19, "Cast", Mixed) { Attributes = [To(ElementType.Int32), Attr.Of("saturate", 0)], NoOracle = "ONNX Runtime refuses the attribute here, where ONNX ignores it" },
        new("to an 8-bit float", 19, "Cast", Mixed) { Attributes = [To(ElementType.Float8E4M3FN)], Refusal = "Float8E4M3FN" },
        new("to four bits", 21, "Cast", Mixed) { Attributes = [To(ElementType.Int4)], Refusal = "Int4" },
        new("to strings", 13, "Cast", Mixed) { Attributes = [To(ElementType.String)], Refusal = "String" },
        new("saturate in an old version", 13, "Cast", Mixed) { Attributes = [To(ElementType.Int32), Attr.Of("saturate", 1)], Refusal = "'saturate'" },
        new("like integers", 15, "CastLike", Mixed, TensorData.Scalar(1L)),
        new("like doubles", 19, "CastLike", Normal(1, 2, 3), TensorData.Scalar(1.0)) { NoGradient = new Dictionary<int, string> { [1] = "gives its type only" } },
        new("like floats", 19, "CastLike", Int64s(1, 0, 9, 3), Normal(1, 2)),
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static Attr To(ElementType type) => Attr.Of("to", (long)type);
}
