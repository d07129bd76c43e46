using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Signal;

[TestClass]
public sealed class SignalTests
{
    private static TensorData Axis => TensorData.Scalar(1L);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("real", 17, "DFT", Normal(1, 2, 5, 1)),
        new("complex, cut", 20, "DFT", Normal(1, 2, 5, 2), TensorData.Scalar(4L), Axis) { Constants = [1, 2] },
        new("filled", 17, "DFT", Normal(1, 2, 5, 1), TensorData.Scalar(8L)) { Constants = [1], Attributes = [Attr.Of("axis", 1)] },
        new("one side", 20, "DFT", Normal(1, 2, 5, 1), null, Axis) { Constants = [2], Attributes = [Attr.Of("onesided", 1)] },
        new("inverse", 17, "DFT", Normal(1, 2, 5, 2)) { Attributes = [Attr.Of("inverse", 1)] },
        new("the last axis", 20, "DFT", Normal(1, 2, 5, 1), null, TensorData.Scalar(2L)) { Refusal = "real and imaginary" },
        new("length 0", 17, "DFT", Normal(1, 2, 5, 1), TensorData.Scalar(0L)) { Refusal = "dft_length" },
        new("one side", 17, "STFT", Normal(1, 2, 12, 1), TensorData.Scalar(3L), Uniform(2, 0.5f, 1, 6)) { Constants = [1] },
        new("both sides without a window", 17, "STFT", Normal(1, 1, 12, 1), TensorData.Scalar(4L), null, TensorData.Scalar(5L)) { Constants = [1, 3], Attributes = [Attr.Of("onesided", 0)] },
        new("a frame too long", 17, "STFT", Normal(1, 1, 4, 1), TensorData.Scalar(3L), Normal(2, 6)) { Refusal = "do not fit" },
        .. from op in (string[])["HannWindow", "HammingWindow", "BlackmanWindow"]
           from periodic in (int[])[0, 1]
           select new OperatorCase($"periodic {periodic}", 17, op, TensorData.Scalar(9L)) { Constants = [0], Attributes = [Attr.Of("periodic", periodic)] },
        new("negative", 17, "HannWindow", TensorData.Scalar(-1L)) { Refusal = "not negative" },
        new("eight bins", 17, "MelWeightMatrix", TensorData.Scalar(8L), TensorData.Scalar(32L), TensorData.Scalar(8000L), TensorData.Scalar(100f), TensorData.Scalar(3500f)) { Constants = [0, 1, 2], NoGradients = "the edges are whole numbers" },
        new("above half the rate", 17, "MelWeightMatrix", TensorData.Scalar(8L), TensorData.Scalar(32L), TensorData.Scalar(8000L), TensorData.Scalar(100f), TensorData.Scalar(4500f)) { Refusal = "mel scale" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
