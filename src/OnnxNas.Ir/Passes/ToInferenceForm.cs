namespace OnnxNas.Ir.Passes;

/// <summary>
/// BatchNormalization(training) → BatchNormalization with one output; Dropout(x) → x.
/// </summary>
/// <remarks>
/// Requires that nothing reads a Dropout's mask or a BatchNormalization's updated statistics. Ensures that no node behaves as in
/// training. This is the one pass that changes what the model computes: a BatchNormalization in training form uses the batch's statistics,
/// in inference form the running ones. The opset stays.
/// </remarks>
public sealed class ToInferenceForm : Pass
{
    /// <inheritdoc/>
    /// <exception cref="UnsupportedOperatorException">A mask or an updated statistic is read.</exception>
    public override int Apply(Model model)
    {
        var editor = new GraphEditor(model);
        var count = 0;
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes).Where(n => n.Domain.Length == 0))
        {
            if (node.OpType == "Dropout")
            {
                RequireOneOutputRead(node, editor, "mask");
                editor.Replace(node.Output, node.Input(0) ?? throw new ModelFormatException($"{node} has no input."));
                node.Graph.RemoveNode(node);
                count++;
            }
            else if (node.OpType == "BatchNormalization" && (node.Outputs.Count > 1 || node.Attribute("training_mode") is not null))
            {
                RequireOneOutputRead(node, editor, "updated statistics");
                node.TruncateOutputs(1);
                node.RemoveAttribute("training_mode");
                count++;
            }
        }

        return count;
    }

    private static void RequireOneOutputRead(Node node, GraphEditor editor, string what)
    {
        if (node.Outputs.Skip(1).FirstOrDefault(o => o is not null && editor.IsRead(o)) is { } read)
            throw new UnsupportedOperatorException($"{node}: its {what} '{read.Name}' is read, which has no inference form. Remove what reads it, or export the model in inference mode.");
    }
}
