using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Movement;

/// <summary>Operators that pick elements, join them or write them.</summary>
[TestClass]
public sealed class SelectionTests
{
    private static readonly TensorData X = Normal(1, 4, 3, 5);
    private static readonly TensorData Row = Normal(2, 6);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("rows", 7, "Concat", Normal(1, 2, 3), Normal(2, 4, 3)) { Attributes = [Attr.Of("axis", 0)] },
        new("channels", 11, "Concat", Normal(1, 2, 3, 4), Normal(2, 2, 1, 4), Normal(3, 2, 2, 4)) { Attributes = [Attr.Of("axis", -2)] },
        new("known elements", 13, "Concat", Vector(1, 2), Vector(3)) { Constants = [0, 1], Attributes = [Attr.Of("axis", 0)] },
        new("one", 13, "Concat", X) { Attributes = [Attr.Of("axis", 0)] },
        new("extents differ", 13, "Concat", Normal(1, 2, 3), Normal(2, 2, 4)) { Attributes = [Attr.Of("axis", 0)], Refusal = "differ" },
        new("ranks differ", 13, "Concat", Normal(1, 2, 3), Normal(2, 2)) { Attributes = [Attr.Of("axis", 0)], Refusal = "rank" },
        new("no axis", 13, "Concat", Normal(1, 2, 3)) { Refusal = "'axis'" },
        new("equal parts", 7, "Split", X) { Outputs = 2, Attributes = [Attr.Of("axis", 0)] },
        new("sizes", 11, "Split", X) { Outputs = 2, Attributes = [Attr.Of("axis", -1), Attr.Of("split", [2L, 3L])] },
        new("input", 13, "Split", X, Vector(1, 0, 4)) { Outputs = 3, Constants = [1], Attributes = [Attr.Of("axis", 2)] },
        new("uneven end", 18, "Split", X) { Outputs = 3, Attributes = [Attr.Of("axis", 2), Attr.Of("num_outputs", 3)] },
        new("uneven end of a symbol", 18, "Split", Normal(1, 5, 2)) { Outputs = 3, Attributes = [Attr.Of("num_outputs", 3)] },
        new("known elements", 13, "Split", Vector(4, 5, 6), Vector(1, 2)) { Outputs = 2, Constants = [0, 1] },
        new("too many parts", 18, "Split", Normal(1, 5, 2)) { Outputs = 4, Attributes = [Attr.Of("num_outputs", 4)], Refusal = "too short" },
        new("do not divide", 13, "Split", X) { Outputs = 3, Attributes = [Attr.Of("axis", 2)], Refusal = "divisible" },
        new("wrong sizes", 13, "Split", X, Vector(1, 5)) { Outputs = 2, Attributes = [Attr.Of("axis", 2)], Refusal = "do not split" },
        new("sizes that overflow", 13, "Split", X, Vector(long.MaxValue, long.MaxValue)) { Outputs = 2, Refusal = "do not split" },
        new("two ways", 18, "Split", X, Vector(1, 4)) { Outputs = 2, Attributes = [Attr.Of("num_outputs", 2)], Refusal = "exactly one" },
        new("attributes", 7, "Slice", X) { Attributes = [Attr.Of("starts", [1L, -4L]), Attr.Of("ends", [3L, long.MaxValue]), Attr.Of("axes", [0L, 2L])] },
        new("attributes without axes", 7, "Slice", X) { Attributes = [Attr.Of("starts", [1L]), Attr.Of("ends", [3L])] },
        new("inputs", 10, "Slice", X, Vector(1, 1), Vector(3, 5), Vector(0, 2), Vector(1, 2)) { Constants = [1, 2, 3, 4] },
        new("backwards", 10, "Slice", X, Vector(-1, 3), Vector(int.MinValue, 0), Vector(0, 2), Vector(-1, -2)) { Constants = [1, 2, 3, 4] },
        new("at run time", 11, "Slice", X, Vector(1), Vector(-1), Vector(2)) { DynamicShape = true },
        new("backwards at run time", 13, "Slice", X, Vector(100), Vector(-100), Vector(-1), Vector(-3)) { DynamicShape = true },
        new("empty", 13, "Slice", X, Vector(3), Vector(1), Vector(2)) { Constants = [1, 2, 3] },
        new("far bounds", 13, "Slice", X, Vector(-100), Vector(long.MaxValue), Vector(0), Vector(long.MaxValue)) { Constants = [1, 2, 3, 4] },
        new("least bounds", 13, "Slice", X, Vector(long.MaxValue), Vector(long.MinValue), Vector(0), Vector(long.MinValue + 1)) { Constants = [1, 2, 3, 4] },
        new("of int32", 13, "Slice", X, TensorData.Vector(1), TensorData.Vector(3), TensorData.Vector(0)) { Constants = [1, 2, 3] },
        new("known elements", 13, "Slice", Vector(5, 6, 7, 8), Vector(-1), Vector(0), Vector(0), Vector(-2)) { Constants = [0, 1, 2, 3, 4] },
        new("step 0", 13, "Slice", X, Vector(1), Vector(3), Vector(0), Vector(0)) { Refusal = "step" },
        new("lengths differ", 13, "Slice", X, Vector(1, 2), Vector(3)) { Refusal = "equal length" },
        new("axis twice", 13, "Slice", X, Vector(1, 2), Vector(3, 3), Vector(0, -3)) { Refusal = "twice" },
        new("vectors", 7, "Gather", X, Vector(2, 0, 2)) { Weights = [0] },
        new("matrix of indices", 11, "Gather", X, TensorData.Create<int>([2, 2], [0, -1, 1, -2])) { Attributes = [Attr.Of("axis", 1)] },
        new("scalar index", 13, "Gather", X, TensorData.Scalar(-1L)) { Attributes = [Attr.Of("axis", -1)] },
        new("known elements", 13, "Gather", Vector(5, 6, 7), TensorData.Scalar(-1L)) { Constants = [0, 1] },
        new("no indices", 13, "Gather", X, Vector()) { NoGradients = "no elements" },
        new("outside", 13, "Gather", X, Vector(4)) { Refusal = "index 4" },
        new("outside at the front", 13, "Gather", X, Vector(-5)) { Refusal = "index -5" },
        new("known to be outside", 13, "Gather", X, Vector(4)) { Constants = [1], Refusal = "index 4" },
        new("rows", 11, "GatherElements", X, Int64s(1, -4, 4, 2, 3, 5)),
        new("last axis", 13, "GatherElements", X, Int64s(1, -5, 5, 4, 2, 7)) { Attributes = [Attr.Of("axis", -1)] },
        new("outside", 13, "GatherElements", X, Int64s(1, 4, 5, 2, 3, 5)) { Refusal = "index 4" },
        new("too wide", 13, "GatherElements", X, Int64s(1, 0, 1, 2, 4, 5)) { Refusal = "beyond" },
        new("slices", 11, "GatherND", X, Int64s(1, -3, 3, 2, 2)),
        new("elements", 13, "GatherND", X, Int64s(1, -3, 3, 6, 3)),
        new("shared axis", 12, "GatherND", X, Int64s(1, -3, 3, 4, 2, 1)) { Attributes = [Attr.Of("batch_dims", 1)] },
        new("two shared axes", 13, "GatherND", X, Int64s(1, -5, 5, 4, 3, 1)) { Attributes = [Attr.Of("batch_dims", 2)] },
        new("outside", 13, "GatherND", X, Vector(4)) { Refusal = "index 4" },
        new("too deep", 13, "GatherND", X, Vector(0, 0, 0, 0)) { Refusal = "do not fit" },
        new("rows", 11, "ScatterElements", X, TensorData.Create<long>([2, 1, 2], [0, 1, 2, -1]), Normal(3, 2, 1, 2)),
        new("axis", 13, "ScatterElements", Row, Vector(1, -1, 3), Normal(3, 3)) { Attributes = [Attr.Of("axis", -1)] },
        .. from reduction in new[] { "add", "mul" }
           select new OperatorCase(reduction, 16, "ScatterElements", Row, Vector(1, 3, 1, -5), Normal(3, 4)) { Attributes = [Attr.Of("reduction", reduction)] },
        .. from reduction in new[] { "max", "min" }
           select new OperatorCase(reduction, 18, "ScatterElements", Row, Vector(1, 3, 1, -5), Distinct(3, 4)) { Attributes = [Attr.Of("reduction", reduction)] },
        new("max in an old version", 16, "ScatterElements", Row, Vector(1), Normal(3, 1)) { Attributes = [Attr.Of("reduction", "max")], Refusal = "max" },
        new("outside", 16, "ScatterElements", Row, Vector(6), Normal(3, 1)) { Refusal = "index 6" },
        new("shapes differ", 16, "ScatterElements", Row, Vector(1, 2), Normal(3, 1)) { Refusal = "equal" },
        new("rows", 9, "Scatter", X, TensorData.Create<long>([2, 1, 2], [0, 1, 2, 3]), Normal(3, 2, 1, 2)),
        new("withdrawn", 11, "Scatter", Row, Vector(1), Normal(3, 1)) { Refusal = "ScatterElements" },
        new("slices", 11, "ScatterND", X, TensorData.Create<long>([2, 1], [1, 3]), Normal(3, 2, 3, 5)),
        new("elements", 13, "ScatterND", X, TensorData.Create<long>([2, 3], [1, 2, 3, -1, 0, 0]), Normal(3, 2)),
        .. from reduction in new[] { "add", "mul" }
           select new OperatorCase(reduction, 16, "ScatterND", X, TensorData.Create<long>([3, 1], [1, 3, 1]), Normal(3, 3, 3, 5)) { Attributes = [Attr.Of("reduction", reduction)] },
        .. from reduction in new[] { "max", "min" }
           select new OperatorCase(reduction, 18, "ScatterND", X, TensorData.Create<long>([3, 1], [1, 3, 1]), Distinct(3, 3, 3, 5)) { Attributes = [Attr.Of("reduction", reduction)] },
        new("outside", 16, "ScatterND", X, TensorData.Create<long>([1, 1], [4]), Normal(3, 1, 3, 5)) { Refusal = "index 4" },
        new("updates do not fit", 16, "ScatterND", X, TensorData.Create<long>([1, 1], [0]), Normal(3, 1, 3)) { Refusal = "must be" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static TensorData Vector(params long[] values) => TensorData.Vector<long>(values);
}
