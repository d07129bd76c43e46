using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes;

/// <summary>
/// Identity(x) → x, and so for every node that only hands its input on.
/// </summary>
/// <remarks>
/// These are: Identity; Dropout in inference form; Cast to the type it has; Transpose that keeps the order; Reshape, Flatten and
/// Expand to the shape it has; Pad by nothing; Concat, Sum, Max, Min and Mean of one input; Squeeze of the axes an Unsqueeze
/// made, and the other way round.
/// Requires nothing; infers types. Ensures that an Identity is left only where an input, an initializer or another output of
/// a graph is a graph output too, since an output keeps its name.
/// </remarks>
public sealed class EliminateIdentities(ITypeRules rules) : Pass
{
    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        ShapeInference.Run(model, rules);
        var editor = new GraphEditor(model);
        var count = 0;
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes))
        {
            if (node.Domain.Length > 0 || node.Outputs.Count == 0 || node.Outputs[0] is not { } output
                || Source(node, model.Opset) is not { } source || node.Outputs.Skip(1).Any(o => o is not null && editor.IsRead(o)))
                continue;
            // Such an output can only be renamed through an Identity: the one that is there will do.
            if (node.OpType == "Identity" && output.IsOutput && (source.Producer is null || source.Graph != output.Graph || source.IsOutput))
                continue;
            var inverse = ReferenceEquals(source, node.Input(0)) ? null : node.Input(0)?.Producer;
            editor.Replace(output, source);
            node.Graph.RemoveNode(node);
            if (inverse is not null && !editor.IsRead(inverse.Output))
                inverse.Graph.RemoveNode(inverse);
            count++;
        }

        return count;
    }

    // The input that the first output equals, or null.
    private static Value? Source(Node node, int opset)
    {
        var same = node.OpType switch
        {
            "Identity" => true,
            "Dropout" => Dropouts.IsInactive(node, opset),
            "Cast" => node.Input(0)?.Element is { } element && element != ElementType.Undefined && node.Attribute("to")?.AsInt() == (long)element,
            "Transpose" => KeepsOrder(node),
            "Reshape" or "Flatten" or "Expand" => node.Input(0)?.Shape is { } shape && shape.Equals(node.Output.Shape),
            "Pad" => Integers(node, "pads", 1) is { } pads && pads.All(p => p == 0),
            "Concat" or "Sum" or "Max" or "Min" or "Mean" => node.Inputs.Count == 1,
            _ => false,
        };
        return same ? node.Input(0) : node.OpType switch
        {
            "Squeeze" => Undone(node, "Unsqueeze"),
            "Unsqueeze" => Undone(node, "Squeeze"),
            _ => null,
        };
    }

    private static bool KeepsOrder(Node node) => node.Attribute("perm") is { } perm
        ? perm.AsInts().Select((axis, i) => axis == i).All(kept => kept)
        : node.Input(0)?.Shape is { Rank: <= 1 };

    private static Value? Undone(Node node, string inverse) =>
        node.Input(0)?.Producer is { Domain: "" } maker && maker.OpType == inverse
            && Integers(node, "axes", 1) is { } axes && Integers(maker, "axes", 1) is { } made && axes.SequenceEqual(made)
            ? maker.Input(0)
            : null;

    // An attribute of older versions, an input of newer ones.
    private static IReadOnlyList<long>? Integers(Node node, string attribute, int input) =>
        node.Attribute(attribute)?.AsInts() ?? (node.Input(input) is { } value ? ConstantFacts.Constant(value)?.ToInt64s() : null);
}
