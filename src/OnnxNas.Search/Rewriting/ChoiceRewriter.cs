using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Rewriting;

/// <summary>Puts something in place of every marker. The model is edited.</summary>
public static class ChoiceRewriter
{
    /// <summary>Marker → what <paramref name="build"/> puts there; it gets the choice and the marker and returns the value to use instead.</summary>
    public static void Replace<TChoice>(SearchSpace space, Func<TChoice, Node, Value> build) where TChoice : Choice
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(build);
        foreach (var choice in space.Choices.OfType<TChoice>())
        {
            foreach (var marker in choice.Nodes.Where(n => !n.IsRemoved))
            {
                space.Model.Graph.ReplaceAllUses(marker.Output, build(choice, marker));
                space.Model.Graph.RemoveNode(marker);
            }
        }
    }

    /// <summary>Marker → its decided candidate: <c>LayerChoice(y0 … yN-1) → yk</c>, <c>InputChoice(x0 … xN-1) → Add/Sum/Mean/Concat</c> of the chosen.</summary>
    /// <exception cref="ChoiceException">The architecture is of another space.</exception>
    public static void Decide(SearchSpace space, Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        Replace<Choice>(space, (choice, marker) => Join(choice, marker, [.. architecture[choice.Label].Select(i => marker.Inputs[i]!)]));
    }

    /// <summary>Marker → a node that computes the decided candidates only, for running the supernet one-hot.</summary>
    public static void Select(SearchSpace space, Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(architecture);
        Replace<Choice>(space, (choice, marker) => SelectOperator.Insert(marker, choice, architecture[choice.Label]));
        space.Model.OpsetImports[SupernetOperators.Domain] = 1;
    }

    private static Value Join(Choice choice, Node marker, IReadOnlyList<Value> chosen)
    {
        if (chosen.Count == 1)
            return chosen[0];
        return Join((InputChoice)choice, marker.Graph, chosen, marker.Output.Name + "/chosen", marker);
    }

    /// <summary>Several inputs joined as an InputChoice says.</summary>
    internal static Value Join(InputChoice choice, Graph graph, IReadOnlyList<Value> chosen, string name, Node? before = null)
    {
        return choice.Reduction switch
        {
            Reduction.Concat => graph.Call("Concat", chosen, name, attributes: [Attr.Of("axis", (long)choice.Axis)], before: before),
            Reduction.Mean => graph.Call("Mean", chosen, name, before: before),
            // A Sum takes floats only.
            _ when chosen.Count > 2 && (chosen[0].Element == ElementType.Undefined || chosen[0].Element.IsFloatingPoint()) => graph.Call("Sum", chosen, name, before: before),
            _ => chosen.Skip(1).Aggregate(chosen[0], (a, b) => graph.Call("Add", [a, b], name, before: before)),
        };
    }
}
