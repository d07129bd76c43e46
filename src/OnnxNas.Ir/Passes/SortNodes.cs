namespace OnnxNas.Ir.Passes;

/// <summary>
/// Nodes in any order → nodes after their makers, otherwise in the order they had.
/// </summary>
/// <remarks>Requires an acyclic graph. Ensures the order ONNX asks for.</remarks>
public sealed class SortNodes : Pass
{
    /// <inheritdoc/>
    public override int Apply(Model model) => new GraphEditor(model).Graphs.Count(Sort);

    private static bool Sort(Graph graph)
    {
        if (IsSorted(graph))
            return false;
        graph.SortTopologically();
        return true;
    }

    private static bool IsSorted(Graph graph)
    {
        var seen = new HashSet<Node>(graph.NodeCount);
        foreach (var node in graph.Nodes)
        {
            if (Graph.Reads(node).Any(v => v.Graph == graph && v.Producer is { } maker && !seen.Contains(maker)))
                return false;
            seen.Add(node);
        }

        return true;
    }
}
