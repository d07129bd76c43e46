using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes;

/// <summary>
/// y = Constant() → initializer y.
/// </summary>
/// <remarks>
/// Requires nothing. Ensures that no Constant node is left but those that make a graph output (an initializer cannot take
/// over the output's name) or hold a sparse tensor. Raises the IR version to 4, the first that has initializers which are no inputs.
/// </remarks>
public sealed class LiftConstants : Pass
{
    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        var editor = new GraphEditor(model);
        var count = 0;
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes))
        {
            if (ConstantNode.Read(node) is not { } data || node.Output.IsOutput)
                continue;
            editor.ReplaceByConstants(node, [data]);
            count++;
        }

        return count;
    }
}
