using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Elementwise;

[TestClass]
public sealed class ArithmeticTests
{
    private static readonly TensorData Least = TensorData.Vector(long.MinValue, 7, -7);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("equal shapes", 7, "Add", Normal(1, 2, 3), Normal(2, 2, 3)),
        new("per channel", 13, "Add", Normal(1, 2, 3, 4, 4), Normal(2, 3, 1, 1)) { Weights = [1] },
        new("both stretch", 14, "Add", Normal(1, 4, 1, 3), Normal(2, 2, 1)),
        new("scalar", 14, "Add", Normal(1, 2, 3), Normal(2)) { Weights = [1] },
        new("integers that wrap", 14, "Add", TensorData.Vector(int.MaxValue, 3), TensorData.Vector(1, -4)),
        new("known elements", 14, "Add", TensorData.Vector<long>(3, -1), TensorData.Vector<long>(5)) { Constants = [0, 1] },
        new("do not broadcast", 14, "Add", Normal(1, 2, 3), Normal(2, 4)) { Refusal = "do not broadcast" },
        new("types differ", 14, "Add", Normal(1, 2), Int64s(2, 0, 5, 2)) { Refusal = "differ" },
        new("one input", 14, "Add", Normal(1, 2)) { Refusal = "input 1 is missing" },
        new("empty", 14, "Sub", Normal(1, 0, 3), Normal(2, 3)) { NoGradients = "no elements" },
        new("rows from columns", 7, "Sub", Normal(1, 3, 1), Normal(2, 1, 4)),
        new("known elements", 14, "Sub", TensorData.Vector<long>(3, -1), TensorData.Vector<long>(5, 1)) { Constants = [0, 1] },
        new("scale", 13, "Mul", Normal(1, 2, 3, 4), Normal(2, 3, 1)) { Weights = [1] },
        new("known elements", 14, "Mul", TensorData.Vector(3, -1), TensorData.Vector(5, 7)) { Constants = [0, 1] },
        new("elements beyond 64 bits", 14, "Mul", TensorData.Vector(long.MaxValue), TensorData.Vector<long>(2)) { Constants = [0, 1] },
        new("floats", 13, "Div", Normal(1, 2, 3), Uniform(2, 0.5f, 2, 3)) { Weights = [1] },
        new("integers truncate", 14, "Div", TensorData.Vector<long>(7, -7, 7, -7), TensorData.Vector<long>(2, 2, -2, -2)),
        new("known elements truncate", 14, "Div", TensorData.Vector<long>(7, -7, 7, -7), TensorData.Vector<long>(2, 2, -2, -2)) { Constants = [0, 1] },
        new("int8", 14, "Div", TensorData.Vector<sbyte>(7, -7), TensorData.Vector<sbyte>(2)),
        new("by minus one", 14, "Div", Least, TensorData.Vector<long>(-1)) { NoOracle = "the least integer by -1 ends the process of ONNX Runtime" },
        new("by zero", 14, "Div", TensorData.Vector<long>(1, 2), TensorData.Vector<long>(0)) { Refusal = "divided by zero" },
        new("halves", 14, "Mul", Normal(1, 5).As(ElementType.Float16), Normal(2, 5).As(ElementType.Float16)) { Absolute = 1e-2 },
        new("doubles", 14, "Sub", Normal(1, 5).As(ElementType.Float64), Normal(2, 5).As(ElementType.Float64)),
        new("square", 7, "Pow", Normal(1, 2, 3), TensorData.Scalar(2f)) { Weights = [1], NoGradient = new Dictionary<int, string> { [1] = "a negative base has no derivative in the exponent" } },
        new("powers that broadcast", 13, "Pow", Uniform(1, 0.5f, 2, 2, 3), Normal(2, 3)),
        new("integer exponent", 15, "Pow", Normal(1, 2, 3), TensorData.Scalar(3L)),
        new("integers", 15, "Pow", TensorData.Vector<long>(2, -3, 4), TensorData.Vector<long>(5, 3, 0)),
        new("integer base, float exponent", 12, "Pow", TensorData.Vector(2, 9), TensorData.Vector(2.5f, 0.5f)),
        new("mismatch", 15, "Pow", Normal(1, 2), Normal(2, 3)) { Refusal = "do not broadcast" },
        new("sign of the divisor", 10, "Mod", TensorData.Vector<long>(7, -7, 7, -7), TensorData.Vector<long>(3, 3, -3, -3)),
        new("known elements", 13, "Mod", TensorData.Vector<long>(7, -7, 7, -7, 6), TensorData.Vector<long>(3, 3, -3, -3, -3)) { Constants = [0, 1] },
        new("sign of the dividend", 13, "Mod", TensorData.Vector<long>(7, -7, 7, -7), TensorData.Vector<long>(3, 3, -3, -3)) { Attributes = [Attr.Of("fmod", 1)] },
        new("floats", 13, "Mod", Normal(1, 2, 3), Uniform(2, 0.5f, 1, 3)) { Attributes = [Attr.Of("fmod", 1)] },
        new("floats without fmod", 13, "Mod", Normal(1, 2), Normal(2, 2)) { Refusal = "fmod" },
        new("by minus one", 13, "Mod", Least, TensorData.Vector<long>(-1)) { NoOracle = "the least integer by -1 ends the process of ONNX Runtime" },
        new("by zero", 13, "Mod", TensorData.Vector<long>(1), TensorData.Vector<long>(0)) { Refusal = "divided by zero" },
        new("left", 11, "BitShift", TensorData.Vector<byte>(1, 130), TensorData.Vector<byte>(3, 1)) { Attributes = [Attr.Of("direction", "LEFT")] },
        new("right", 11, "BitShift", TensorData.Vector<byte>(1, 130), TensorData.Vector<byte>(3, 1)) { Attributes = [Attr.Of("direction", "RIGHT")] },
        new("direction", 11, "BitShift", TensorData.Vector<byte>(1), TensorData.Vector<byte>(3)) { Attributes = [Attr.Of("direction", "UP")], Refusal = "LEFT or RIGHT" },
        new("three", 8, "Max", Distinct(1, 2, 3), Distinct(2, 3), Uniform(3, -0.04f, -0.02f, 2, 1)),
        new("now one, now the other", 13, "Max", Normal(1, 2, 3), Normal(2, 2, 3)),
        new("now one, now the other", 13, "Min", Normal(1, 2, 3), Normal(2, 2, 3)),
        new("one", 13, "Max", Normal(1, 2, 3)),
        new("known elements", 13, "Max", TensorData.Vector<long>(3, -1), TensorData.Vector<long>(2, 7)) { Constants = [0, 1] },
        new("two", 12, "Min", Distinct(1, 2, 3), Uniform(3, -0.04f, -0.02f, 3)),
        new("integers", 12, "Min", TensorData.Vector<long>(3, -1), TensorData.Vector<long>(2, 7)),
        new("three", 8, "Sum", Normal(1, 2, 3), Normal(2, 3), Normal(3, 2, 1)),
        new("before broadcasting", 7, "Sum", Normal(1, 2, 3), Normal(2, 2, 3)),
        new("mismatch", 13, "Sum", Normal(1, 2, 3), Normal(2, 2)) { Refusal = "do not broadcast" },
        new("three", 13, "Mean", Normal(1, 2, 3), Normal(2, 3), Normal(3, 2, 1)),
        new("one", 8, "Mean", Normal(1, 2, 3)),
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
