using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Reductions;

[TestClass]
public sealed class ReductionTests
{
    private static readonly TensorData X = Distinct(1, 2, 3, 4);
    private static readonly TensorData Positive = Uniform(1, 0.5f, 2, 2, 3, 4);

    private static readonly string[] Operators =
        ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"];

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. Operators.SelectMany(Forms),
        new("integers", 13, "ReduceMean", Int64s(1, -9, 9, 3, 4)) { Attributes = [Attr.Of("axes", [1L])] },
        new("integers", 13, "ReduceSum", Int64s(1, -9, 9, 3, 4).As(ElementType.Int32), Vector(1)) { Constants = [1] },
        new("integers", 13, "ReduceMax", Int64s(1, -9, 9, 3, 4)) { Attributes = [Attr.Of("axes", [1L])] },
        new("bytes", 20, "ReduceMin", Int64s(1, 0, 9, 3, 4).As(ElementType.UInt8), Vector(1)) { Constants = [1] },
        new("axis twice", 13, "ReduceMean", X) { Attributes = [Attr.Of("axes", [1L, -2L])], Refusal = "twice" },
        new("no such axis", 18, "ReduceMean", X, Vector(3)) { Refusal = "axis 3" },
        new("axes as an attribute too late", 18, "ReduceMean", X) { Attributes = [Attr.Of("axes", [1L])], Refusal = "'axes'" },
        .. from op in new[] { "ArgMax", "ArgMin" }
           from row in new OperatorCase[]
           {
               new("default", 7, op, X),
               new("last axis dropped", 11, op, X) { Attributes = [Attr.Of("axis", -1), Attr.Of("keepdims", 0)] },
               new("first of equal ones", 13, op, TensorData.Vector(3f, 1f, 3f, 1f)),
               new("last of equal ones", 12, op, TensorData.Vector(3f, 1f, 3f, 1f)) { Attributes = [Attr.Of("select_last_index", 1)] },
               new("nothing to choose", 13, op, Normal(1, 2, 0)) { Attributes = [Attr.Of("axis", 1)], Refusal = "empty" },
           }
           select row,
        new("sum", 11, "CumSum", X, TensorData.Scalar(1L)) { Constants = [1] },
        new("exclusive", 14, "CumSum", X, TensorData.Scalar(-1)) { Constants = [1], Attributes = [Attr.Of("exclusive", 1)] },
        new("reverse", 14, "CumSum", X, TensorData.Scalar(0L)) { Attributes = [Attr.Of("reverse", 1)] },
        new("reverse exclusive", 11, "CumSum", X, TensorData.Scalar(2L)) { Attributes = [Attr.Of("reverse", 1), Attr.Of("exclusive", 1)] },
        new("integers", 14, "CumSum", Int64s(1, 0, 9, 2, 3).As(ElementType.Int32), TensorData.Scalar(1L)),
        new("no such axis", 14, "CumSum", X, TensorData.Scalar(5L)) { Refusal = "axis 5" },
        new("product", 26, "CumProd", X, TensorData.Scalar(1L)) { NoOracle = "ONNX's own cases cover it" },
        new("attribute", 7, "TopK", X) { Outputs = 2, Attributes = [Attr.Of("k", 2), Attr.Of("axis", 1)] },
        new("input", 10, "TopK", X, Vector(3)) { Outputs = 2, Constants = [1] },
        new("least", 11, "TopK", X, Vector(2)) { Outputs = 2, Constants = [1], Attributes = [Attr.Of("largest", 0), Attr.Of("axis", -1), Attr.Of("sorted", 1)] },
        new("equal ones", 11, "TopK", TensorData.Vector(3f, 1f, 3f, 1f), Vector(3)) { Outputs = 2, Constants = [1], NoGradients = "kinks" },
        new("at run time", 24, "TopK", X, Vector(2)) { Outputs = 2, DynamicShape = true, NoOracle = "ONNX Runtime has no kernel of the version" },
        new("too many", 11, "TopK", X, Vector(5)) { Outputs = 2, Refusal = "K is 5" },
        new("product of matrices", 12, "Einsum", Normal(1, 2, 3, 4), Normal(2, 2, 4, 5)) { Attributes = [Attr.Of("equation", "bij, bjk -> bik")] },
        new("without an arrow", 12, "Einsum", Normal(1, 3, 4), Normal(2, 4, 5)) { Attributes = [Attr.Of("equation", "ij,jk")] },
        new("ellipsis", 12, "Einsum", Normal(1, 2, 3, 4), Normal(2, 4, 5)) { Attributes = [Attr.Of("equation", "...ij,jk->...ik")] },
        new("diagonal", 12, "Einsum", Normal(1, 2, 3, 3)) { Attributes = [Attr.Of("equation", "bii->bi")] },
        new("trace", 12, "Einsum", Normal(1, 3, 3)) { Attributes = [Attr.Of("equation", "ii")] },
        new("transpose", 12, "Einsum", Normal(1, 2, 3)) { Attributes = [Attr.Of("equation", "ij->ji")] },
        new("extents differ", 12, "Einsum", Normal(1, 3, 4), Normal(2, 3, 5)) { Attributes = [Attr.Of("equation", "ij,jk->ik")], Refusal = "equation" },
        new("rank", 12, "Einsum", Normal(1, 3)) { Attributes = [Attr.Of("equation", "ij->ji")], Refusal = "rank 1" },
        new("no equation", 12, "Einsum", Normal(1, 3)) { Attributes = [Attr.Of("equation", "i1->i")], Refusal = "equation" },
        new("label from nowhere", 12, "Einsum", Normal(1, 3)) { Attributes = [Attr.Of("equation", "i->k")], Refusal = "label" },
        new("matrix", 11, "Det", Normal(1, 3, 3)),
        new("batch", 22, "Det", Normal(1, 2, 3, 3)),
        new("not square", 11, "Det", Normal(1, 2, 3)) { Refusal = "matrices" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    private static IEnumerable<OperatorCase> Forms(string op)
    {
        var x = op == "ReduceLogSum" ? Positive : X;
        var inputSince = op == "ReduceSum" ? 13 : 18;
        foreach (var opset in new[] { 7, 11, inputSince == 13 ? 12 : 13 })
        {
            yield return new($"all axes", opset, op, x);
            yield return new($"one axis", opset, op, x) { Attributes = [Attr.Of("axes", [1L])] };
            yield return new($"two axes dropped", opset, op, x) { Attributes = [Attr.Of("axes", [0L, 2L]), Attr.Of("keepdims", 0)] };
        }

        yield return new("all axes", inputSince, op, x);
        yield return new("negative axis", inputSince, op, x, Vector(-1)) { Constants = [1] };
        yield return new("two axes dropped", inputSince, op, x, Vector(0, 2)) { Constants = [1], Attributes = [Attr.Of("keepdims", 0)] };
        yield return new("empty axes", inputSince, op, x, Vector()) { Constants = [1] };
        yield return new("axes at run time", inputSince, op, x, Vector(1)) { DynamicShape = true };
        yield return new("no axes asked for", inputSince, op, x) { Attributes = [Attr.Of("noop_with_empty_axes", 1)] };
        yield return new("scalar", inputSince, op, TensorData.Scalar(1.5f));
    }

    private static TensorData Vector(params long[] values) => TensorData.Vector<long>(values);
}
