using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Nn;

[TestClass]
public sealed class GemmTests
{
    public static IEnumerable<OperatorCase> Rows =>
    [
        new("plain", 7, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5), Normal(3, 5)) { Weights = [1, 2] },
        new("linear layer", 9, "Gemm", Normal(1, 3, 4), Normal(2, 5, 4), Normal(3, 5)) { Weights = [1, 2], Attributes = [Attr.Of("transB", 1)] },
        new("everything", 13, "Gemm", Normal(1, 4, 3), Normal(2, 5, 4), Normal(3, 3, 1))
        {
            Weights = [1, 2],
            Attributes = [Attr.Of("transA", 1), Attr.Of("transB", 1), Attr.Of("alpha", 0.25f), Attr.Of("beta", 0.35f)],
        },
        new("scaled linear layer", 13, "Gemm", Normal(1, 3, 4), Normal(2, 5, 4), Normal(3, 5)) { Attributes = [Attr.Of("transB", 1), Attr.Of("beta", 2f)] },
        new("without C", 11, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5)) { Weights = [1], Attributes = [Attr.Of("alpha", 0.5f)] },
        new("scalar C", 13, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5), Normal(3)),
        new("one-row C", 13, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5), Normal(3, 1, 5)) { Attributes = [Attr.Of("transA", 0)] },
        new("no rows", 13, "Gemm", Normal(1, 0, 4), Normal(2, 4, 5), Normal(3, 5)) { NoGradients = "no elements" },
        new("integers", 13, "Gemm", Int64s(1, -5, 5, 3, 4), Int64s(2, -5, 5, 4, 2), Int64s(3, -5, 5, 2)) { NoOracle = "ONNX Runtime has no integer kernel", Attributes = [Attr.Of("alpha", 2f)] },
        new("half", 13, "Gemm", Normal(1, 3, 4).As(ElementType.Float16), Normal(2, 4, 5).As(ElementType.Float16), Normal(3, 5).As(ElementType.Float16)) { Absolute = 5e-3, Relative = 5e-3 },
        new("inner extents differ", 13, "Gemm", Normal(1, 3, 4), Normal(2, 5, 4), Normal(3, 4)) { Refusal = "do not multiply" },
        new("C too large", 13, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5), Normal(3, 4)) { Refusal = "does not broadcast" },
        new("C missing in version 9", 10, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5)) { Refusal = "input 2 is missing" },
        new("unknown attribute", 13, "Gemm", Normal(1, 3, 4), Normal(2, 4, 5)) { Attributes = [Attr.Of("broadcast", 1)], Refusal = "'broadcast'" },
        new("matrices", 9, "MatMul", Normal(1, 3, 4), Normal(2, 4, 5)) { Weights = [1] },
        new("batches that broadcast", 13, "MatMul", Normal(1, 2, 1, 3, 4), Normal(2, 5, 4, 2)),
        new("vector by matrix", 13, "MatMul", Normal(1, 4), Normal(2, 4, 5)),
        new("batch by vector", 13, "MatMul", Normal(1, 2, 3, 4), Normal(2, 4)) { Weights = [1] },
        new("vector by vector", 7, "MatMul", Normal(1, 4), Normal(2, 4)),
        new("integers", 13, "MatMul", Int64s(1, -5, 5, 3, 4), Int64s(2, -5, 5, 4, 2)),
        new("inner extents differ", 13, "MatMul", Normal(1, 3, 4), Normal(2, 3, 4)) { Refusal = "do not multiply" },
        new("two types", 13, "MatMul", Normal(1, 3, 4), Normal(2, 4, 5).As(ElementType.Float64)) { Refusal = "Float32 and Float64 do not multiply" },
        new("truth values", 13, "MatMul", Normal(1, 3, 4).As(ElementType.Bool), Normal(2, 4, 5).As(ElementType.Bool)) { Refusal = "do not multiply" },
        new("batches differ", 13, "MatMul", Normal(1, 2, 3, 4), Normal(2, 3, 4, 5)) { Refusal = "do not broadcast" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
