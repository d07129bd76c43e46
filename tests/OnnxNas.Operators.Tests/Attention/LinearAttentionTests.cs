using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Attention;

/// <summary>Against ONNX Runtime's own operator of that name, which is older than ONNX's.</summary>
[TestClass]
public sealed class LinearAttentionTests
{
    // Four heads of queries, two states of 3 × 2 elements.
    private static readonly TensorData Query = Normal(1, 2, 4, 12);
    private static readonly TensorData Key = Normal(2, 2, 4, 6);
    private static readonly TensorData Value = Normal(3, 2, 4, 4);
    private static readonly TensorData Past = Normal(4, 2, 2, 3, 2);
    private static readonly TensorData Decay = Uniform(5, -1, 0, 2, 4, 6);
    private static readonly TensorData Beta = Uniform(6, 0, 1, 2, 4, 2);

    public static IEnumerable<OperatorCase> Rows =>
    [
        Row("no gate", "linear", Query, Key, Value),
        Row("no gate, past", "linear", Query, Key, Value, Past),
        Row("decay of each row", "gated", Query, Key, Value, Past, Decay),
        Row("decay of each head", "gated", Query, Key, Value, Past, Uniform(5, -1, 0, 2, 4, 2)),
        Row("delta", "delta", Query, Key, Value, Past, null, Beta),
        Row("gated delta", "gated_delta", Query, Key, Value, Past, Decay, Beta),
        Row("gated delta, no past", "gated_delta", Query, Key, Value, null, Decay, Beta),
        Row("one beta for all heads", "gated_delta", Query, Key, Value, Past, Decay, Uniform(6, 0, 1, 2, 4, 1)),
        Row("a scale of its own", "gated_delta", [Attr.Of("scale", 0.3f), Attr.Of("chunk_size", 2)], Query, Key, Value, Past, Decay, Beta),
        Row("one position", "gated_delta", Normal(1, 2, 1, 12), Normal(2, 2, 1, 6), Normal(3, 2, 1, 4), Past, Uniform(5, -1, 0, 2, 1, 6), Uniform(6, 0, 1, 2, 1, 2)),
        Row("no positions", "linear", Normal(1, 2, 0, 12), Normal(2, 2, 0, 6), Normal(3, 2, 0, 4), Past),
        Row("half, the past float32", "linear", Half(Query), Half(Key), Half(Value), Past) with { Composition = null, NoOracle = "ONNX Runtime has no such kernel" },
        Row("bfloat16", "gated_delta", [.. from t in new[] { Query, Key, Value, Past, Decay, Beta } select t.As(ElementType.BFloat16)]) with { Composition = null, NoOracle = "ONNX Runtime has no such kernel" },
        Row("a rule without its decay", "gated", Query, Key, Value, Past) with { Refusal = "takes a decay and no beta" },
        Row("a decay that the rule does not take", "delta", Query, Key, Value, Past, Decay, Beta) with { Refusal = "takes no decay and a beta" },
        Row("another rule", "rwkv", Query, Key, Value) with { Refusal = "update_rule 'rwkv'" },
        Row("keys that do not fit", "linear", Query, Normal(2, 2, 4, 8), Value) with { Refusal = "key [2,4,8] must be [2,4,6]" },
        Row("values of other positions", "linear", Query, Key, Normal(3, 2, 3, 4)) with { Refusal = "value [2,3,4] must be [2,4,E]" },
        Row("values that the heads do not divide", "linear", Query, Key, Normal(3, 2, 4, 5)) with { Refusal = "2·E" },
        Row("queries that the heads do not divide", "linear", Normal(1, 2, 4, 10), Key, Value) with { Refusal = "4·D" },
        Row("a past that does not fit", "linear", Query, Key, Value, Normal(4, 2, 2, 2, 3)) with { Refusal = "[2,2,3,2]" },
        Row("a decay that does not fit", "gated", Query, Key, Value, Past, Normal(5, 2, 4, 3)) with { Refusal = "6 or 2" },
        Row("two element types", "linear", Query, Half(Key), Value) with { Refusal = "element types" },
        Row("a matrix", "linear", Normal(1, 4, 12), Key, Value) with { Refusal = "three axes" },
        new("heads that do not divide", 27, "LinearAttention", Query, Key, Value) { Outputs = 2, Attributes = [Attr.Of("q_num_heads", 4), Attr.Of("kv_num_heads", 3)], Refusal = "a multiple of the second" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    [DataRow("linear", 24 * (2 + 4))] // 4 positions, states of 6 elements: 2 written, 4 read
    [DataRow("delta", 24 * (2 * 2 + 4))] // and 2 read by keys
    public void Every_position_writes_and_reads_the_states(string rule, long each)
    {
        var graph = new Graph("g");
        var inputs = new[] { 12L, 6, 4, 2 }.Select((size, i) => graph.AddInput($"i{i}", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), 4, size)))).ToList();
        Value?[] given = rule == "delta" ? [inputs[0], inputs[1], inputs[2], null, null, inputs[3]] : [inputs[0], inputs[1], inputs[2]];
        var node = graph.AddNode("LinearAttention", given, [graph.AddValue("y"), graph.AddValue("state")], attributes: Attributes(rule));
        var bound = OperatorRegistry.Default.Bind(node, new Dictionary<string, int> { [""] = 27 });
        var context = new InferenceContext(node, [.. given.Select(v => v is null ? null : new InferredValue(v.Type))], new TensorData?[given.Length]);

        Assert.AreEqual(Dim.Parse($"{each}*N"), bound.MultiplyAccumulates(context, bound.Infer(context)));
    }

    private static TensorData Half(TensorData data) => data.As(ElementType.Float16);

    private static Attr[] Attributes(string rule) => [Attr.Of("q_num_heads", 4), Attr.Of("kv_num_heads", 2), Attr.Of("update_rule", rule)];

    private static OperatorCase Row(string name, string rule, params TensorData?[] inputs) => Row(name, rule, [], inputs);

    private static OperatorCase Row(string name, string rule, Attr[] more, params TensorData?[] inputs)
    {
        Attr[] attributes = [.. Attributes(rule), .. more];
        return new(name, 27, "LinearAttention", inputs)
        {
            Outputs = 2,
            Attributes = attributes,
            Composition = (graph, given) =>
            {
                Value[] outputs = [graph.AddValue("output"), graph.AddValue("state")];
                graph.AddNode("LinearAttention", given, outputs, "com.microsoft", attributes);
                return outputs;
            },
        };
    }
}
