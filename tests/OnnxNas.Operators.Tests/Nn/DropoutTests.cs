using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class DropoutTests
{
    private static TensorData X => Normal(1, 3, 4);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("version 7", 7, "Dropout", X) { Attributes = [Attr.Of("ratio", 0.3f)] },
        new("version 7, mask", 7, "Dropout", X) { Outputs = 2, NoOracle = "ONNX Runtime gives a bool mask, the table says float" },
        new("version 10, mask", 10, "Dropout", X) { Outputs = 2, NoOracle = "ONNX Runtime leaves that mask empty; from version 12 on it must be all true" },
        new("version 12", 12, "Dropout", X, TensorData.Scalar(0.3f)) { Weights = [1], Attributes = [Attr.Of("seed", 7)], NoGradient = NoRatio },
        new("version 13, mask", 13, "Dropout", X, null, TensorData.Scalar(false)) { Outputs = 2 },
        new("version 22", 22, "Dropout", X),
        new("training with ratio 0", 13, "Dropout", X, TensorData.Scalar(0f), TensorData.Scalar(true)) { Training = true, Outputs = 2, NoGradient = NoRatio },
        new("training with training_mode false", 13, "Dropout", X, null, TensorData.Scalar(false)) { Training = true },
        new("a ratio above 1", 7, "Dropout", X) { Attributes = [Attr.Of("ratio", 1.5f)], Refusal = "ratio is 1.5" },
    ];

    private static Dictionary<int, string> NoRatio => new() { [1] = "a ratio is not trained" };

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
