using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Metrics;

namespace OnnxNas.Search.Objectives;

/// <summary>Walks an output of a model back to the scores that a loss can train.</summary>
public sealed class ModelEndReader
{
    private const int MaxDepth = 20;
    private readonly InferenceResult types;
    private readonly ActivationReader activations;
    private readonly int opset;

    /// <summary>A reader of a model whose types are known.</summary>
    public ModelEndReader(Model model, InferenceResult types)
    {
        ArgumentNullException.ThrowIfNull(model);
        (this.types, opset) = (types, model.Opset);
        activations = new(types, opset);
    }

    /// <summary>How an output comes about.</summary>
    public ModelEnd Read(Value output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var decision = Decide(output, 0);
        var scores = decision?.Scores ?? output;
        var activation = activations.Read(scores);
        var axis = decision?.Axis ?? activation?.Axis;
        return new()
        {
            Output = output,
            Scores = scores,
            Decision = decision?.By,
            FirstAlong = decision?.FirstAlong,
            Form = decision is { } decided ? decided.Form : activation is null ? OutputForm.Values : activation.IsLogarithm ? OutputForm.LogProbabilities : OutputForm.Probabilities,
            ClassAxis = axis,
            Activation = activation,
            Untrainable = decision is { CanBeScored: false } ? $"it holds the largest numbers of '{scores.Name}' without their classes" : WhyNot(scores),
        };
    }

    // What has no gradient: ArgMax, Hardmax, TopK, comparison with a number, rounding, Cast to integers; and what only shapes or casts its result.
    private Decision? Decide(Value value, int depth)
    {
        if (depth > MaxDepth || value.Producer is not { Domain: "" } node || node.Input(0) is not { } x)
            return null;
        switch (node.OpType)
        {
            case "Identity" or "Squeeze" or "Unsqueeze" or "Flatten" or "Reshape":
                return Decide(x, depth + 1) is { FirstAlong: null } moved ? moved : null;
            case "Cast" when Decide(x, depth + 1) is { } cast:
                return cast;
            case "Cast" when !types[value].Element.IsFloatingPoint() && types[x].Element.IsFloatingPoint():
                return new(node.OpType, x, OutputForm.Values, null);
            case "ArgMax":
                return new(node.OpType, x, OutputForm.Classes, AxisOf(node, x, 0));
            case "Hardmax":
                return new(node.OpType, x, OutputForm.Probabilities, AxisOf(node, x, opset < 13 ? 1 : -1));
            case "TopK":
                return AxisOf(node, x, -1) is { } axis ? new(node.OpType, x, OutputForm.Classes, axis) { FirstAlong = axis, CanBeScored = value.OutputIndex == 1 } : null;
            case "Greater" or "GreaterOrEqual" when node.Input(1) is { } limit && types.Constant(limit) is { ElementCount: 1 }:
                return new(node.OpType, x, OutputForm.Classes, null);
            case "Round" when activations.Read(x) is not null:
                return new(node.OpType, x, OutputForm.Classes, null);
            case "Where" when IsNumber(node.Input(1), 1) && IsNumber(node.Input(2), 0):
                return Decide(x, depth + 1);
            default:
                return null;
        }
    }

    private int? AxisOf(Node node, Value x, long otherwise)
    {
        var axis = node.Attribute("axis")?.AsInt() ?? otherwise;
        return axis >= 0 ? (int)axis : types[x].Shape is { } shape ? (int)(axis + shape.Rank) : null;
    }

    private bool IsNumber(Value? value, double number) => value is not null && types.Constant(value) is { ElementCount: 1 } data && data.Type != ElementType.String && data.ToDoubles()[0] == number;

    private string? WhyNot(Value scores)
    {
        if (!types[scores].Element.IsFloatingPoint())
            return $"it is of {types[scores].Element}, which has no gradient";
        return DependsOnWeights(scores) ? null : "it depends on no weights";
    }

    private static bool DependsOnWeights(Value scores)
    {
        var (seen, open) = (new HashSet<Value> { scores }, new Stack<Value>([scores]));
        while (open.TryPop(out var value))
        {
            if (value.Initializer is { } data && data.Type.IsFloatingPoint() || value.Producer is { } maker && (Markers.IsMarker(maker) || maker.Subgraphs.Any()))
                return true;
            foreach (var input in value.Producer?.Inputs.OfType<Value>() ?? [])
            {
                if (seen.Add(input))
                    open.Push(input);
            }
        }

        return false;
    }

    private sealed record Decision(string By, Value Scores, OutputForm Form, int? Axis)
    {
        public int? FirstAlong { get; init; }

        public bool CanBeScored { get; init; } = true;
    }
}
