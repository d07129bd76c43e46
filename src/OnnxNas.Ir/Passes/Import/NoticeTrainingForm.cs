namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// Says how the nodes that behave differently in training are filed, and what becomes of them. Changes nothing: a run decides by itself whether it is a training run,
/// and <see cref="ToInferenceForm"/> brings the exported model to the form for inference.
/// </summary>
public sealed class NoticeTrainingForm : ImportPass
{
    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var editor = new GraphEditor(model);
        var (training, inference, computed, idle, read) = (new List<string>(), new List<string>(), new List<string>(), new List<string>(), new List<string>());
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes).Where(n => n.Domain.Length == 0))
        {
            if (node.OpType is "BatchNormalization" or "Dropout" && node.Outputs.Skip(1).Any(o => o is not null && editor.IsRead(o)))
                read.Add(node.Label);
            if (node.OpType == "BatchNormalization")
            {
                (IsTraining(node) ? training : inference).Add(node.Label);
                if (node.Input(3)?.Initializer is null || node.Input(4)?.Initializer is null)
                    computed.Add(node.Label);
            }
            else if (node.OpType == "Dropout" && NeverDrops(node, model.Opset))
            {
                idle.Add(node.Label);
            }
        }

        Say(FindingKind.Noticed, training, "batch normalisations are in training form: training moves their running statistics, and the exported model has them in inference form.");
        Say(FindingKind.Noticed, inference, "batch normalisations are in inference form; in training they use batch statistics and move the running ones all the same.");
        Say(FindingKind.Noticed, computed, "the running statistics are no constants, so training does not move them.");
        Say(FindingKind.Noticed, idle, "dropouts have a ratio of 0 or training_mode false: they drop nothing in training either.");
        Say(FindingKind.Refused, read, "a mask or an updated statistic is read, which has no form for inference: the model cannot be exported. Remove what reads it.");
        return 0;
    }

    private void Say(FindingKind kind, List<string> nodes, string message)
    {
        if (nodes.Count > 0)
            Report(kind, nodes, message);
    }

    private static bool IsTraining(Node node) => node.Outputs.Count > 1 || node.Attribute("training_mode")?.AsInt() == 1 || node.Attribute("is_test")?.AsInt() == 0;

    // Ratio and training_mode are inputs from version 12 on. Without a mode a training run drops.
    private static bool NeverDrops(Node node, int opset)
    {
        if (opset < 12)
            return node.Attribute("ratio")?.AsFloat() == 0;
        return IsZero(node.Input(1)) || node.Input(2) is { } mode && IsZero(mode);
    }

    private static bool IsZero(Value? value) => value is not null && ConstantFacts.Constant(value) is { ElementCount: 1 } data
        && (data.Type.IsFloatingPoint() || data.Type == ElementType.Bool) && data.ToDoubles()[0] == 0;
}
