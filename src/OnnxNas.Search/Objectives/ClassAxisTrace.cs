using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Search.Objectives;

/// <summary>Which axis of a value the last layer with weights makes: that is where the classes of a head lie.</summary>
internal sealed class ClassAxisTrace(InferenceResult types)
{
    private const int MaxDepth = 300;

    // Operators whose output has the axes of their inputs, broadcast where there are several.
    private static readonly HashSet<string> Keeping =
    [
        .. ("Abs Add AveragePool BatchNormalization BiasGelu Cast CastLike Ceil Celu Clip Concat CumSum DequantizeLinear Div Dropout Elu Erf Exp Floor Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization "
            + "HardSigmoid HardSwish Hardmax Identity InputChoice InstanceNormalization LRN LayerChoice LayerNormalization LeakyRelu Log LogSoftmax LpNormalization LpPool Max MaxPool Mean Min Mish Mul Neg PRelu Pad Pow "
            + "QuantizeLinear RMSNormalization Reciprocal Relu Resize Round Selu Sigmoid Slice Softmax Softplus Softsign Sqrt Sub Sum Swish Tanh ThresholdedRelu Trilu Upsample Where").Split(' '),
    ];

    private readonly AxisFlow flow = new(types);
    private readonly Dictionary<Value, (int Axis, Node Layer)?> known = [];

    /// <summary>The axis and the layer that makes it; null where they cannot be told.</summary>
    public (int Axis, Node Layer)? Of(Value value) => Of(value, 0);

    private (int Axis, Node Layer)? Of(Value value, int depth)
    {
        if (depth > MaxDepth || value.Producer is not { } node)
            return null;
        if (!known.TryGetValue(value, out var axis))
            known[value] = axis = Made(node) is { } made ? (made, node) : Kept(node, depth);
        return axis;
    }

    private (int Axis, Node Layer)? Kept(Node node, int depth)
    {
        if (AxisFlow.IsMovement(node))
            return Of(node.Inputs[0]!, depth + 1) is { } source && flow.Through(node, source.Axis) is { } axis ? (axis, source.Layer) : null;
        if (!Keeping.Contains(node.OpType) || types[node.Output].Shape is not { } shape)
            return null;
        (int Axis, Node Layer)? found = null;
        foreach (var input in node.Inputs.OfType<Value>().Where(i => !IsConstant(i)))
        {
            if (types[input].Shape is not { } from || Of(input, depth + 1) is not { } source)
                continue;
            var at = source.Axis + shape.Rank - from.Rank;
            if (found is { } other && other.Axis != at)
                return null;
            found ??= (at, source.Layer);
        }

        return found;
    }

    private int? Made(Node node) => types[node.Output].Shape is not { Rank: > 0 and var rank } ? null : node.OpType switch
    {
        "Conv" or "ConvTranspose" or "DeformConv" or "ConvInteger" or "QLinearConv" => 1,
        "Gemm" => 1,
        "LSTM" or "GRU" or "RNN" => rank - 1,
        "MatMul" or "MatMulInteger" when node.Inputs[1] is { } right && IsConstant(right) => types[right].Shape is { Rank: >= 2 } ? rank - 1 : null,
        "MatMul" or "MatMulInteger" when IsConstant(node.Inputs[0]!) && types[node.Inputs[1]!].Shape is { Rank: >= 2 } => rank >= 2 ? rank - 2 : null,
        "Einsum" => MadeByEinsum(node),
        _ => null,
    };

    // The letter that only the weights have.
    private static int? MadeByEinsum(Node node)
    {
        var equation = node.Attribute("equation")?.AsString().Replace(" ", "", StringComparison.Ordinal) ?? "";
        if (equation.Contains('.', StringComparison.Ordinal) || equation.Split("->") is not [var left, var result] || left.Split(',') is not { } terms || terms.Length != node.Inputs.Count)
            return null;
        var data = string.Concat(terms.Where((_, i) => !IsConstant(node.Inputs[i]!)));
        var made = result.Index().Where(l => !data.Contains(l.Item, StringComparison.Ordinal)).ToList();
        return made.Count == 1 ? made[0].Index : null;
    }

    // Weights may be shaped, masked, cast or chosen on their way.
    private static bool IsConstant(Value value, int depth = 0) =>
        value.Initializer is not null || depth < 16 && value.Producer is { } maker && maker.Inputs.All(i => i is null || IsConstant(i, depth + 1));
}
