using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class NormalizationTests
{
    private const string NoKernel = "ONNX Runtime has no such kernel";

    private static TensorData X => Normal(1, 3, 4, 2, 3);

    private static TensorData C(int seed) => Normal(seed, 4);

    private static TensorData Variance => Uniform(5, 0.3f, 2, 4);

    private static Attr Epsilon => Attr.Of("epsilon", 0.01f);

    public static IEnumerable<OperatorCase> Batch =>
    [
        .. from opset in (int[])[7, 9, 14, 15]
           select new OperatorCase("running statistics", opset, "BatchNormalization", X, C(2), C(3), C(4), Variance) { Weights = [1, 2, 3, 4], Attributes = [Epsilon] },
        new("spatial 1", 7, "BatchNormalization", X, C(2), C(3), C(4), Variance) { Attributes = [Attr.Of("spatial", 1)] },
        new("per activation", 7, "BatchNormalization", Normal(1, 3, 4, 2), Normal(2, 4, 2), Normal(3, 4, 2), Normal(4, 4, 2), Uniform(5, 0.3f, 2, 4, 2))
        {
            Attributes = [Attr.Of("spatial", 0)],
            NoOracle = "ONNX Runtime takes other shapes",
        },
        new("a matrix", 15, "BatchNormalization", Normal(1, 5, 4), C(2), C(3), C(4), Variance),
        new("a vector", 15, "BatchNormalization", Normal(1, 5), Normal(2, 1), Normal(3, 1), Normal(4, 1), Uniform(5, 0.5f, 1, 1)) { NoOracle = "ONNX Runtime wants two axes" },
        new("three spatial axes", 15, "BatchNormalization", Normal(1, 2, 4, 2, 2, 2), C(2), C(3), C(4), Variance),
        new("half", 15, "BatchNormalization", X.As(ElementType.Float16), C(2).As(ElementType.Float16), C(3).As(ElementType.Float16), C(4), Variance) { NoOracle = NoKernel },
        .. from opset in (int[])[7, 14, 15]
           select new OperatorCase("training", opset, "BatchNormalization", X, C(2), C(3), C(4), Variance)
           {
               Training = true,
               Outputs = 3,
               Weights = [1, 2],
               NoGradient = Statistics,
           },
        new("training, one output", 9, "BatchNormalization", X, C(2), C(3), C(4), Variance) { Training = true, NoGradient = Statistics },
        new("training, a batch of one", 15, "BatchNormalization", Normal(1, 1, 4), C(2), C(3), C(4), Variance) { Training = true, Outputs = 3, NoGradients = "the variance is 0" },
        new("parameters that do not fit", 15, "BatchNormalization", X, Normal(1, 3), C(3), C(4), Variance) { Refusal = "must be [4]" },
        new("spatial in version 9", 9, "BatchNormalization", X, C(2), C(3), C(4), Variance) { Attributes = [Attr.Of("spatial", 1)], Refusal = "'spatial'" },
    ];

    // They do not reach Y in training, and what moves them is not differentiated.
    private static Dictionary<int, string> Statistics => new()
    {
        [0] = "the next statistics depend on X, but pass no gradient",
        [3] = "running statistics pass no gradient",
        [4] = "running statistics pass no gradient",
    };

    public static IEnumerable<OperatorCase> Others =>
    [
        new("planes", 7, "InstanceNormalization", X, C(2), C(3)) { Weights = [1, 2] },
        new("one axis", 22, "InstanceNormalization", Normal(1, 3, 4, 5), C(2), C(3)) { Weights = [1, 2], Attributes = [Epsilon] },
        new("a matrix", 7, "InstanceNormalization", Normal(1, 3, 4), C(2), C(3)) { Refusal = "rank 3" },
        new("last axis", 17, "LayerNormalization", Normal(1, 2, 3, 4), C(2), C(3)) { Weights = [1, 2] },
        new("without B", 17, "LayerNormalization", Normal(1, 2, 3, 4), C(2)) { Weights = [1], Attributes = [Epsilon] },
        new("three outputs", 17, "LayerNormalization", Normal(1, 2, 3, 4), Normal(2, 3, 4), Normal(3, 3, 4))
        {
            Outputs = 3,
            Attributes = [Attr.Of("axis", 1)],
            NoGradients = "the statistics are float32, too coarse for central differences",
        },
        new("axes from -2", 17, "LayerNormalization", Normal(1, 2, 3, 4), Normal(2, 3, 4), Normal(3, 3, 4)) { Attributes = [Attr.Of("axis", -2)] },
        new("a scale that broadcasts", 17, "LayerNormalization", Normal(1, 2, 3, 4), C(2), Normal(3, 1, 4)) { Attributes = [Attr.Of("axis", 1)] },
        new("half", 17, "LayerNormalization", Normal(1, 2, 3, 4).As(ElementType.Float16), C(2).As(ElementType.Float16), C(3).As(ElementType.Float16)) { Absolute = 5e-3, Relative = 5e-3 },
        new("a scale that does not fit", 17, "LayerNormalization", Normal(1, 2, 3, 4), Normal(2, 3)) { Refusal = "does not broadcast" },
        new("an integer stash_type", 17, "LayerNormalization", Normal(1, 2, 3, 4), C(2)) { Attributes = [Attr.Of("stash_type", 7)], Refusal = "stash_type" },
        new("scale per group", 18, "GroupNormalization", X, Normal(2, 2), Normal(3, 2)) { Weights = [1, 2], Attributes = [Attr.Of("num_groups", 2)] },
        new("scale per channel", 21, "GroupNormalization", X, C(2), C(3)) { Weights = [1, 2], Attributes = [Attr.Of("num_groups", 2), Epsilon] },
        new("one group", 21, "GroupNormalization", X, C(2), C(3)) { Attributes = [Attr.Of("num_groups", 1), Attr.Of("stash_type", 1)] },
        new("groups that do not fit", 21, "GroupNormalization", X, C(2), C(3)) { Attributes = [Attr.Of("num_groups", 3)], Refusal = "does not divide" },
        new("last axis", 23, "RMSNormalization", Normal(1, 2, 3, 4), C(2)) { Weights = [1] },
        new("two axes", 23, "RMSNormalization", Normal(1, 2, 3, 4), Normal(2, 3, 4)) { Weights = [1], Attributes = [Attr.Of("axis", 1), Epsilon, Attr.Of("stash_type", 1)] },
        new("odd window", 7, "LRN", X) { Attributes = [Attr.Of("size", 3)] },
        new("even window", 13, "LRN", X) { Attributes = [Attr.Of("size", 2), Attr.Of("alpha", 0.5f), Attr.Of("beta", 0.6f), Attr.Of("bias", 2f)], NoOracle = "ONNX Runtime refuses even windows" },
        new("large alpha", 13, "LRN", X) { Attributes = [Attr.Of("size", 5), Attr.Of("alpha", 0.5f), Attr.Of("beta", 0.6f), Attr.Of("bias", 2f)] },
        new("window wider than the channels", 13, "LRN", X) { Attributes = [Attr.Of("size", 11)] },
        new("default", 7, "LpNormalization", X),
        new("p 1 along axis 1", 22, "LpNormalization", X) { Attributes = [Attr.Of("p", 1), Attr.Of("axis", 1)] },
        new("a row of zeros", 22, "LpNormalization", TensorData.Create<float>([2, 3], [0, 0, 0, 1, 2, 3])) { NoGradients = "the norm has a kink at 0" },
        new("p 3", 22, "LpNormalization", X) { Attributes = [Attr.Of("p", 3)], Refusal = "p is 3" },
        new("default axes", 9, "MeanVarianceNormalization", X),
        new("own axes", 13, "MeanVarianceNormalization", X) { Attributes = [Attr.Of("axes", [1L, -1])] },
    ];

    [TestMethod]
    [DynamicData(nameof(Batch))]
    [DynamicData(nameof(Others))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
