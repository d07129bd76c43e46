using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Movement;

/// <summary>Operators that keep every element and change the shape.</summary>
[TestClass]
public sealed class ShapeChangeTests
{
    private static readonly TensorData X = Normal(1, 2, 3, 4);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from opset in new[] { 7, 13, 14, 16, 19, 25 } select new OperatorCase("float", opset, "Identity", X),
        new("known elements", 13, "Identity", Vector(3, 4)) { Constants = [0] },
        new("plain", 7, "Reshape", X, Vector(4, 6)) { Constants = [1] },
        new("open extent", 13, "Reshape", X, Vector(2, -1)) { Constants = [1] },
        new("copied extent", 14, "Reshape", X, Vector(0, -1, 2)) { Constants = [1] },
        new("shape at run time", 14, "Reshape", X, Vector(0, 12)) { DynamicShape = true },
        new("to a scalar", 14, "Reshape", Normal(1, 1, 1), Vector()) { Constants = [1] },
        new("zero taken literally", 14, "Reshape", Normal(1, 0, 3), Vector(3, 0)) { Constants = [1], Attributes = [Attr.Of("allowzero", 1)], NoGradients = "no elements" },
        new("known elements", 19, "Reshape", TensorData.Scalar(5L), Vector(1)) { Constants = [0, 1] },
        new("wrong size", 14, "Reshape", X, Vector(5, 5)) { Constants = [1], Refusal = "does not take shape" },
        new("more than a scalar", 14, "Reshape", X, Vector()) { Constants = [1], Refusal = "does not take shape" },
        new("wrong size at run time", 14, "Reshape", X, Vector(5, 5)) { Refusal = "does not take shape" },
        new("no multiple", 14, "Reshape", X, Vector(5, -1)) { Constants = [1], Refusal = "multiple" },
        new("no multiple at run time", 14, "Reshape", X, Vector(5, -1)) { Refusal = "does not take shape" },
        new("two open extents", 14, "Reshape", X, Vector(-1, -1)) { Refusal = "does not take shape" },
        new("negative", 14, "Reshape", X, Vector(-2, 12)) { Refusal = "does not take shape" },
        new("copy beyond", 14, "Reshape", X, Vector(2, 3, 4, 0)) { Refusal = "does not take shape" },
        new("overflow", 14, "Reshape", X, Vector(1L << 40, 1L << 40)) { Refusal = "does not take shape" },
        new("open extent of nothing", 14, "Reshape", Normal(1, 0, 3), Vector(0, -1)) { Refusal = "does not take shape" },
        .. from opset in new[] { 7, 9 } select new OperatorCase("default", opset, "Flatten", X),
        new("axis 0", 9, "Flatten", X) { Attributes = [Attr.Of("axis", 0)] },
        new("axis at the end", 13, "Flatten", X) { Attributes = [Attr.Of("axis", 3)] },
        new("negative axis", 11, "Flatten", X) { Attributes = [Attr.Of("axis", -1)] },
        new("negative axis in an old version", 9, "Flatten", X) { Attributes = [Attr.Of("axis", -1)], Refusal = "negative" },
        new("no such axis", 13, "Flatten", X) { Attributes = [Attr.Of("axis", 4)], Refusal = "axis 4" },
        new("attribute", 7, "Squeeze", Normal(1, 2, 1, 3, 1)) { Attributes = [Attr.Of("axes", [1L, 3L])] },
        new("negative attribute", 11, "Squeeze", Normal(1, 2, 1, 3, 1)) { Attributes = [Attr.Of("axes", [-1L])] },
        new("all", 11, "Squeeze", Normal(1, 2, 1, 3, 1)) { DynamicShape = true },
        new("input", 13, "Squeeze", Normal(1, 2, 1, 3, 1), Vector(1, -1)) { Constants = [1] },
        new("input at run time", 13, "Squeeze", Normal(1, 2, 1, 3, 1), Vector(1)) { DynamicShape = true },
        new("all of version 13", 13, "Squeeze", Normal(1, 2, 1, 3, 1)) { DynamicShape = true },
        new("known elements", 13, "Squeeze", Vector(7), Vector(0)) { Constants = [0, 1] },
        new("not 1", 13, "Squeeze", X, Vector(1)) { Constants = [1], Refusal = "must be 1" },
        new("twice", 13, "Squeeze", Normal(1, 1, 1), Vector(0, -2)) { Refusal = "twice" },
        new("attribute", 7, "Unsqueeze", X) { Attributes = [Attr.Of("axes", [0L, 4L])] },
        new("negative attribute", 11, "Unsqueeze", X) { Attributes = [Attr.Of("axes", [-1L])] },
        new("input", 13, "Unsqueeze", X, Vector(2, -1)) { Constants = [1] },
        new("input at run time", 13, "Unsqueeze", X, Vector(2)) { DynamicShape = true },
        new("known elements", 13, "Unsqueeze", TensorData.Scalar(7L), Vector(0)) { Constants = [0, 1] },
        new("no axes", 11, "Unsqueeze", X) { Refusal = "missing" },
        new("no such axis", 13, "Unsqueeze", X, Vector(7)) { Refusal = "axis 7" },
        new("reversed", 7, "Transpose", X),
        new("given", 13, "Transpose", X) { Attributes = [Attr.Of("perm", [1L, 2L, 0L])] },
        new("no permutation", 13, "Transpose", X) { Attributes = [Attr.Of("perm", [1L, 1L, 0L])], Refusal = "permutation" },
        new("other rank", 13, "Transpose", X) { Attributes = [Attr.Of("perm", [1L, 0L])], Refusal = "rank" },
        new("outer part first", 7, "DepthToSpace", Normal(1, 2, 8, 2, 3)) { Attributes = [Attr.Of("blocksize", 2)] },
        new("DCR", 11, "DepthToSpace", Normal(1, 2, 8, 2, 3)) { Attributes = [Attr.Of("blocksize", 2), Attr.Of("mode", "DCR")] },
        new("CRD", 13, "DepthToSpace", Normal(1, 2, 8, 2, 3)) { Attributes = [Attr.Of("blocksize", 2), Attr.Of("mode", "CRD")] },
        new("channels do not divide", 13, "DepthToSpace", Normal(1, 2, 6, 2, 3)) { Attributes = [Attr.Of("blocksize", 2)], Refusal = "blocks" },
        new("blocks", 7, "SpaceToDepth", Normal(1, 2, 3, 4, 6)) { Attributes = [Attr.Of("blocksize", 2)] },
        new("extents do not divide", 13, "SpaceToDepth", Normal(1, 2, 3, 5, 6)) { Attributes = [Attr.Of("blocksize", 2)], Refusal = "blocks" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static TensorData Vector(params long[] values) => TensorData.Vector<long>(values);
}
