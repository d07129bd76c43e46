using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Rewriting;

/// <summary>The LayerChoices that a tree of Add and Sum adds up: the edges of a node of a cell.</summary>
internal static class EdgeGroup
{
    /// <summary>An edge: which group it is in, its place there, and how many the group has. Groups of the same labels are one.</summary>
    public readonly record struct Edge(string Group, int Index, int Count);

    /// <summary>The edges by the names of their markers' outputs. A marker that something else reads too is none, nor is one alone.</summary>
    public static Dictionary<string, Edge> Of(SearchSpace space)
    {
        var labels = space.Choices.OfType<LayerChoice>().SelectMany(c => c.Nodes.Select(n => (n.Output, c.Label))).ToDictionary(p => p.Output, p => p.Label);
        var edges = new Dictionary<string, Edge>();
        foreach (var root in space.Model.Graph.Nodes.Where(n => Adds(n) && !IsInner(n.Output)))
        {
            var group = Leaves(root).Where(v => labels.ContainsKey(v) && IsReadOnce(v)).ToList();
            if (group.Count < 2)
                continue;
            var name = string.Join(',', group.Select(v => labels[v]));
            for (var i = 0; i < group.Count; i++)
                edges[group[i].Name] = new(name, i, group.Count);
        }

        return edges;
    }

    private static IEnumerable<Value> Leaves(Node sum) =>
        sum.Inputs.OfType<Value>().SelectMany(v => IsInner(v) ? Leaves(v.Producer!) : [v]);

    private static bool IsInner(Value value) => value.Producer is { } p && Adds(p) && IsReadOnce(value) && Adds(value.Uses[0].Node);

    private static bool IsReadOnce(Value value) => value.Uses.Count == 1 && !value.IsOutput;

    private static bool Adds(Node node) => node is { Domain: "", OpType: "Add" or "Sum" };
}
