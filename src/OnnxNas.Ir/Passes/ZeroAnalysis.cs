namespace OnnxNas.Ir.Passes;

/// <summary>
/// Which values are zero in every element, whatever the caller gives: zero constants and what operators make of them.
/// Inputs and weights not known before running are taken to be finite, and the sign of a zero not to matter.
/// </summary>
internal sealed class ZeroAnalysis
{
    // Element by element, 0 to 0: the output is the first input.
    private static readonly HashSet<string> Elementwise =
    [
        "Identity", "Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Gelu", "HardSwish", "Mish", "Swish",
        "Softsign", "Tanh", "Sin", "Tan", "Abs", "Neg", "Sign", "Sqrt", "Floor", "Ceil", "Round",
    ];

    // Zeros in, zeros out, perhaps fewer, more or elsewhere.
    private static readonly HashSet<string> Moving =
    [
        "AveragePool", "MaxPool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "ReduceSum", "ReduceMax", "ReduceMin",
        "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Expand", "Tile", "Gather", "DepthToSpace", "SpaceToDepth",
    ];

    private readonly HashSet<Value> zeros = [];
    private readonly Dictionary<Value, bool> structural = [];
    private readonly int opset;
    private readonly bool keepWeights;

    public ZeroAnalysis(GraphEditor editor, int opset, bool keepWeights)
    {
        (this.opset, this.keepWeights) = (opset, keepWeights);
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes))
        {
            if (!Vanishes(node))
                continue;
            foreach (var output in node.Outputs)
            {
                // The indices of a MaxPool are no zeros.
                if (output is not null && (output.OutputIndex == 0 || node.OpType == "Split"))
                    zeros.Add(output);
            }
        }
    }

    /// <summary>Whether the value is zero everywhere.</summary>
    public bool IsZero(Value? value) => value is not null && (zeros.Contains(value) || IsStructural(value));

    /// <summary>Whether the value is a zero constant or a ConstantOfShape of zeros: as simple as it gets.</summary>
    public bool IsStructural(Value value)
    {
        if (!structural.TryGetValue(value, out var known))
            structural[value] = known = value.IsFilledWith(0, keepWeights);
        return known;
    }

    /// <summary>The earliest value that surely has the shape and type of a zero value; the value itself where there is none.</summary>
    public Value ShapeSource(Value zero)
    {
        while (zeros.Contains(zero) && zero.Producer!.Inputs.FirstOrDefault(i => i is not null && HasShapeOf(zero.Producer, i)) is { } earlier)
            zero = earlier;
        return zero;
    }

    private bool Vanishes(Node node) => node.Domain.Length == 0 && node.Inputs.Count > 0 && node.OpType switch
    {
        "Mul" or "MatMul" => node.Inputs.Any(IsZero) && node.Inputs.All(MayBeTakenAsFinite),
        "Div" => IsZero(node.Input(0)) && IsFiniteAndNotZero(node.Input(1)),
        "Conv" or "ConvTranspose" => IsZero(node.Input(0)) && MayBeTakenAsFinite(node.Input(1)) && (node.Input(2) is null || IsZero(node.Input(2))),
        "Sub" when node.Input(0) is { } x && ReferenceEquals(x, node.Input(1)) => MayBeTakenAsFinite(x),
        "Add" or "Sub" or "Sum" or "Mean" or "Max" or "Min" or "Concat" => node.Inputs.All(IsZero),
        "Pad" => IsZero(node.Input(0)) && PadsWithZero(node),
        "Cast" => IsZero(node.Input(0)) && IsNumber((ElementType)(node.Attribute("to")?.AsInt() ?? 0)),
        "Dropout" => IsZero(node.Input(0)),
        _ => (Elementwise.Contains(node.OpType) || Moving.Contains(node.OpType)) && IsZero(node.Input(0)),
    };

    private static bool HasShapeOf(Node node, Value input) => node.OpType switch
    {
        "Add" or "Sub" or "Mul" or "Div" or "Sum" or "Mean" or "Max" or "Min" =>
            node.Inputs.All(i => ReferenceEquals(i, input) || i?.FitsInto(input) == true),
        _ => Elementwise.Contains(node.OpType) && ReferenceEquals(node.Inputs[0], input),
    };

    private bool PadsWithZero(Node node)
    {
        if (node.Attribute("mode") is { } mode && mode.AsString() != "constant")
            return true;
        return opset < 11 ? (node.Attribute("value")?.AsFloat() ?? 0) == 0 : node.Input(2) is null || IsZero(node.Input(2));
    }

    private static bool MayBeTakenAsFinite(Value? value) => value is null || ConstantFacts.Constant(value) is not { } data || ConstantFacts.IsFinite(data);

    private static bool IsFiniteAndNotZero(Value? value) =>
        value is not null && ConstantFacts.Constant(value) is { } data && ConstantFacts.IsFinite(data) && data.ToDoubles().All(v => v != 0);

    private static bool IsNumber(ElementType type) => type.IsInteger() || type.IsFloatingPoint();
}
