using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Attention;

/// <summary>Gradients, shapes and refusals; ONNX's own cases check the values.</summary>
[TestClass]
public sealed class AttentionTests
{
    private const string Cases = "ONNX's own cases cover it";

    private static readonly TensorData Q = Normal(1, 1, 2, 2, 3);
    private static readonly TensorData K = Normal(2, 1, 1, 3, 3);
    private static readonly TensorData V = Normal(3, 1, 1, 3, 2);
    private static readonly TensorData Past = Normal(5, 1, 1, 2, 3);

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("grouped heads", 23, "Attention", Q, K, V) { NoOracle = Cases },
        new("past and scores", 24, "Attention", Q, K, V, Normal(4, 2, 5), Past, Normal(6, 1, 1, 2, 2)) { Outputs = 4, Attributes = [Attr.Of("qk_matmul_output_mode", 2), Attr.Of("softcap", 1.5f)], NoOracle = Cases },
        new("causal, a row that sees nothing", 24, "Attention", Q, K, V, null, null, null, TensorData.Vector(1L)) { Attributes = [Attr.Of("is_causal", 1)], NoOracle = Cases },
        new("a window", 25, "Attention", Q, K, V) { Attributes = [Attr.Of("left_window_size", 1), Attr.Of("right_window_size", 0)], NoOracle = Cases },
        new("three axes", 23, "Attention", Normal(1, 2, 2, 6), Normal(2, 2, 3, 6), Normal(3, 2, 3, 4)) { Attributes = [Attr.Of("q_num_heads", 2), Attr.Of("kv_num_heads", 2)], NoOracle = Cases },
        new("heads that do not divide", 23, "Attention", Normal(1, 1, 3, 2, 3), Normal(2, 1, 2, 3, 3), Normal(3, 1, 2, 3, 2)) { Refusal = "do not fit" },
        new("a mask that does not fit", 23, "Attention", Q, K, V, Normal(4, 3, 3)) { Refusal = "does not broadcast" },
        new("without numbers of heads", 23, "Attention", Normal(1, 2, 2, 6), Normal(2, 2, 3, 6), Normal(3, 2, 3, 4)) { Refusal = "q_num_heads" },
        new("looked up", 23, "RotaryEmbedding", Normal(1, 1, 2, 3, 4), Normal(2, 5, 2), Normal(3, 5, 2), Int64s(4, 0, 5, 1, 3)) { NoOracle = Cases },
        new("interleaved, in part", 23, "RotaryEmbedding", Normal(1, 1, 3, 8), Normal(2, 1, 3, 1), Normal(3, 1, 3, 1)) { Attributes = [Attr.Of("num_heads", 2), Attr.Of("rotary_embedding_dim", 2), Attr.Of("interleaved", 1)], NoOracle = Cases },
        new("no such position", 23, "RotaryEmbedding", Normal(1, 1, 2, 3, 4), Normal(2, 5, 2), Normal(3, 5, 2), Int64s(4, 5, 6, 1, 3)) { Refusal = "index 5" },
        new("a cache that does not fit", 23, "RotaryEmbedding", Normal(1, 1, 2, 3, 4), Normal(2, 1, 3, 3), Normal(3, 1, 3, 3)) { Refusal = "must be [1,3,2]" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
