using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Recurrent;

[TestClass]
public sealed class RecurrentTests
{
    private const int T = 3, N = 2, I = 3, H = 2;
    private static readonly TensorData X = Normal(1, T, N, I);
    private static readonly TensorData Lengths = TensorData.Vector(1, 3);

    // One gradient check takes hundreds of runs.
    private const string Checked = "the first row, and that of lengths, check the gradient of the recurrence";

    private static readonly (string Op, int Gates, string[] Defaults)[] Layers =
        [("RNN", 1, ["Tanh"]), ("GRU", 3, ["Sigmoid", "Tanh"]), ("LSTM", 4, ["Sigmoid", "Tanh", "Tanh"])];

    public static IEnumerable<OperatorCase> Rows => Layers.SelectMany(l => Forms(l.Op, l.Gates, l.Defaults));

    private static IEnumerable<OperatorCase> Forms(string op, int gates, string[] defaults)
    {
        var outputs = op == "LSTM" ? 3 : 2;
        foreach (var opset in (int[])[7, 14, 22])
            yield return Case("forward", opset, "forward") with { NoGradients = opset == 7 ? null : Checked };
        yield return Case("reverse", 14, "reverse") with { NoGradients = Checked };
        yield return Case("both", 14, "bidirectional") with { NoGradients = Checked };
        yield return Case("without a bias", 14, "forward") with { Inputs = [.. Inputs(1)[..3]], Weights = [1, 2], NoGradients = Checked };
        yield return Case("lengths", 14, "bidirectional") with { Inputs = [.. Inputs(2)[..4], Lengths, .. Inputs(2)[5..]] };
        yield return Case("lengths in reverse", 14, "reverse") with { Inputs = [.. Inputs(1)[..4], Lengths], NoGradients = Checked };
        yield return Case("clipped", 14, "forward", Attr.Of("clip", 0.3f)) with { NoGradients = Checked };
        yield return Case("relu", 14, "forward", Attr.Of("activations", Enumerable.Repeat("Relu", defaults.Length))) with { NoGradients = Checked };
        yield return Case("affine", 14, "forward",
            Attr.Of("activations", [.. defaults.SkipLast(1), "Affine"]), Attr.Of("activation_alpha", [0.8f]), Attr.Of("activation_beta", [0.1f])) with
        { NoGradients = Checked };
        yield return Case("hard", 14, "forward",
            Attr.Of("activations", Enumerable.Repeat("HardSigmoid", defaults.Length)), Attr.Of("activation_alpha", Enumerable.Repeat(0.3f, defaults.Length)), Attr.Of("activation_beta", Enumerable.Repeat(0.4f, defaults.Length))) with
        { NoGradients = Checked };
        foreach (var name in (string[])["LeakyRelu", "ScaledTanh", "Softsign", "Softplus", "Elu", "ThresholdedRelu"])
            yield return Case(name, 14, "forward", Attr.Of("activations", Enumerable.Repeat(name, defaults.Length))) with { NoGradients = Checked, NoOracle = name is "Softsign" or "Elu" ? null : name == "Softplus" ? "it overflows in ONNX Runtime" : "other defaults there" };
        yield return Case("batch first", 14, "bidirectional", Attr.Of("layout", 1)) with
        {
            Inputs = [Normal(1, N, T, I), .. Inputs(2)[1..4], null, .. Inputs(2)[5..].Select(s => Normal(9, N, 2, H)).Take(outputs - 1)],
            NoOracle = "ONNX Runtime has no such layout",
        };
        yield return Case("unknown activation", 14, "forward", Attr.Of("activations", Enumerable.Repeat("Sine", defaults.Length))) with { Refusal = "'Sine'" };
        yield return Case("length too great", 14, "forward") with { Inputs = [.. Inputs(1)[..4], TensorData.Vector(2, 5)], Refusal = "sequence_lens" };
        yield return Case("weights that do not fit", 14, "forward") with { Inputs = [X, Normal(2, 1, gates * H, I + 1), Inputs(1)[2]], Refusal = "do not fit" };
        yield return Case("a bias that does not fit", 14, "forward") with { Inputs = [.. Inputs(1)[..3], Normal(4, 1, gates * H)], Refusal = "B is" };

        OperatorCase Case(string name, int opset, string direction, params Attr[] attributes) =>
            new(name, opset, op, Inputs(direction == "bidirectional" ? 2 : 1))
            {
                Outputs = outputs,
                Weights = [1, 2, 3],
                Attributes = [Attr.Of("hidden_size", H), Attr.Of("direction", direction), .. attributes.Select(a => direction == "bidirectional" && a.Name == "activations" ? Attr.Of(a.Name, a.AsStrings().Concat(a.AsStrings())) : a)],
            };

        TensorData?[] Inputs(int d) =>
        [
            X, Uniform(2, -0.5f, 0.5f, d, gates * H, I), Uniform(3, -0.5f, 0.5f, d, gates * H, H), Normal(4, d, 2 * gates * H), null, Normal(5, d, N, H),
            .. op == "LSTM" ? [Normal(6, d, N, H), Normal(7, d, 3 * H)] : Array.Empty<TensorData>(),
        ];
    }

    public static IEnumerable<OperatorCase> Special =>
    [
        new("linear before reset", 14, "GRU", X, Normal(2, 1, 6, I), Normal(3, 1, 6, H), Normal(4, 1, 12)) { Outputs = 2, Weights = [1, 2, 3], Attributes = [Attr.Of("hidden_size", H), Attr.Of("linear_before_reset", 1)] },
        new("input forget", 14, "LSTM", X, Normal(2, 1, 8, I), Normal(3, 1, 8, H), Normal(4, 1, 16)) { Outputs = 3, Attributes = [Attr.Of("hidden_size", H), Attr.Of("input_forget", 1)] },
        new("hidden size from R", 14, "LSTM", X, Normal(2, 1, 8, I), Normal(3, 1, 8, H)) { Outputs = 3, NoOracle = "ONNX Runtime wants the attribute" },
        new("double", 14, "RNN", X.As(ElementType.Float64), Normal(2, 1, 2, I).As(ElementType.Float64), Normal(3, 1, 2, H).As(ElementType.Float64)) { NoOracle = "ONNX Runtime has no such kernel", Attributes = [Attr.Of("hidden_size", H)] },
        new("half", 14, "GRU", X.As(ElementType.Float16), Normal(2, 1, 6, I).As(ElementType.Float16), Normal(3, 1, 6, H).As(ElementType.Float16)) { NoOracle = "ONNX Runtime has no such kernel", Attributes = [Attr.Of("hidden_size", H)] },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    [DynamicData(nameof(Special))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
