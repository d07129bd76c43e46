namespace OnnxNas.Ir.Passes;

/// <summary>
/// LayerNormalization(x, scale, "") → LayerNormalization(x, scale).
/// </summary>
/// <remarks>
/// Requires nothing. Ensures that no node, of a subgraph or a function neither, ends its inputs with an omitted one. Both forms mean the same to ONNX, but some kernels of
/// ONNX Runtime take a listed input for one that is there.
/// </remarks>
public sealed class DropTrailingInputs : Pass
{
    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Apply(model.Graph) + model.Functions.Sum(f => Apply(f.Body));
    }

    private static int Apply(Graph graph)
    {
        var count = 0;
        foreach (var node in graph.Nodes)
        {
            count += node.Subgraphs.Sum(Apply);
            if (node.Inputs is not [.., null])
                continue;
            node.SetInputs(node.Inputs.Take(1 + node.Inputs.ToList().FindLastIndex(i => i is not null)));
            count++;
        }

        return count;
    }
}
