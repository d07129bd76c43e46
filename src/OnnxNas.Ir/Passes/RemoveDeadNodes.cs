namespace OnnxNas.Ir.Passes;

/// <summary>
/// y = f(x), y unread → (nothing). Also unread initializers and values without maker.
/// </summary>
/// <remarks>
/// Requires nothing. Ensures that every node leads to a graph output. No ONNX operator has side effects, so random ones go
/// as well. Graph inputs stay, and so do initializers that a quantization annotation names.
/// </remarks>
public sealed class RemoveDeadNodes : Pass
{
    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        var total = 0;
        while (true)
        {
            // A removed node may have held the subgraph that returned a value: look again until nothing goes.
            var editor = new GraphEditor(model);
            var removed = editor.Graphs.Reverse().Sum(g => RemoveNodes(g, editor)) + editor.Graphs.Sum(g => RemoveValues(g, editor));
            if (removed == 0)
                return total;
            total += removed;
        }
    }

    private static int RemoveNodes(Graph graph, GraphEditor editor)
    {
        var count = 0;
        for (var node = graph.Last; node is not null;)
        {
            var previous = node.Previous;
            if (!node.Outputs.Any(o => o is not null && editor.IsRead(o)))
            {
                graph.RemoveNode(node);
                count++;
            }

            node = previous;
        }

        return count;
    }

    private static int RemoveValues(Graph graph, GraphEditor editor)
    {
        var kept = graph.Inputs.Select(i => i.Name)
            .Concat(graph.SparseInitializers.Select(s => s.Name ?? ""))
            .Concat(graph.QuantizationAnnotations.SelectMany(a => a.Parameters.Select(p => p.Value).Append(a.TensorName ?? "")))
            .ToHashSet(StringComparer.Ordinal);
        var dead = graph.Values.Where(v => v.Producer is null && !editor.IsRead(v) && !kept.Contains(v.Name)).Reverse().ToArray();
        foreach (var value in dead)
            graph.RemoveValue(value);
        return dead.Length;
    }
}
