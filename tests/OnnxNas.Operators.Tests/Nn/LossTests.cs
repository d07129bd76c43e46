using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class LossTests
{
    public static IEnumerable<OperatorCase> Rows =>
    [
        new("mean", 12, "NegativeLogLikelihoodLoss", Normal(1, 4, 3), Int64s(2, 0, 3, 4)),
        new("weighted mean that ignores a class", 13, "NegativeLogLikelihoodLoss", Normal(1, 6, 3), Int64s(2, 0, 3, 6), Uniform(3, 0.5f, 2, 3)) { Attributes = [Attr.Of("ignore_index", 1)] },
        new("none, images", 22, "NegativeLogLikelihoodLoss", Normal(1, 2, 3, 2, 2), Int64s(2, 0, 3, 2, 2, 2), Uniform(3, 0.5f, 2, 3)) { Attributes = [Attr.Of("reduction", "none")] },
        new("int32 targets", 13, "NegativeLogLikelihoodLoss", Normal(1, 4, 3), Int64s(2, 0, 3, 4).As(ElementType.Int32)) { Attributes = [Attr.Of("reduction", "sum")] },
        new("mean", 12, "SoftmaxCrossEntropyLoss", Normal(1, 4, 3), Int64s(2, 0, 3, 4)),
        new("log_prob", 13, "SoftmaxCrossEntropyLoss", Normal(1, 4, 3), Int64s(2, 0, 3, 4), Uniform(3, 0.5f, 2, 3)) { Outputs = 2, Attributes = [Attr.Of("reduction", "sum")] },
        new("a negative ignore_index", 13, "SoftmaxCrossEntropyLoss", Normal(1, 4, 3), TensorData.Vector(0L, -1, 2, 1)) { Attributes = [Attr.Of("ignore_index", -1)] },
        new("a target out of range", 13, "SoftmaxCrossEntropyLoss", Normal(1, 2, 3), TensorData.Vector(0L, 3)) { Refusal = "outside 0 to 2" },
        new("targets that do not fit", 13, "SoftmaxCrossEntropyLoss", Normal(1, 2, 3), TensorData.Vector(0L, 1, 2)) { Refusal = "without the second axis" },
        new("another reduction", 13, "SoftmaxCrossEntropyLoss", Normal(1, 2, 3), TensorData.Vector(0L, 1)) { Attributes = [Attr.Of("reduction", "max")], Refusal = "reduction 'max'" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
