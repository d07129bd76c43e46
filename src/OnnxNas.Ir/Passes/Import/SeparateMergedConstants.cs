namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// BatchNormalization(x, w, b, Identity(b), Identity(w)) → BatchNormalization(x, w, b, mean, var).
/// </summary>
/// <remarks>
/// Requires nothing. Exporters that fold constants keep equal tensors once: fresh running means and biases are all zeros, variances and scales all ones. Ensures that
/// running statistics have tensors of their own, and likewise parameters that an Identity takes from another one and whose elements are all one number, as at
/// initialisation. An Identity of a parameter with differing elements is a tie the author made, and stays one tensor.
/// </remarks>
public sealed class SeparateMergedConstants(IParameterRules rules) : ImportPass
{
    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (opsets, editor) = (model.OpsetVersions(), new GraphEditor(model));
        var (statistics, parameters, tied) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var node in model.Graph.Nodes)
        {
            foreach (var input in rules.BufferInputs(node, opsets))
            {
                if (node.Input(input) is not { } value || Source(value) is not { } source || source == value && Places(value) == 1)
                    continue;
                node.ReplaceInput(input, Copy(editor, source, source == value ? $"{node.Label}.{(input == 3 ? "running_mean" : "running_var")}" : value.Name));
                statistics.Add(node.Input(input)!.Name);
            }

            foreach (var input in rules.ParameterInputs(node, opsets))
            {
                if (node.Input(input) is not { } value || Source(value) is not { } source || source == value || !ConstantFacts.MayBeWeight(source.Initializer!))
                    continue;
                if (ConstantFacts.IsOneNumber(source.Initializer!))
                {
                    var copy = Copy(editor, source, value.Name);
                    foreach (var use in value.Uses.ToList())
                        use.Node.ReplaceInput(use.Index, copy);
                    parameters.Add(copy.Name);
                }
                else if (!tied.Contains(value.Name))
                {
                    tied.Add(value.Name);
                }
            }
        }

        if (statistics.Count > 0)
            Report(FindingKind.Changed, statistics, "running statistics that shared a tensor with something else have one of their own.");
        if (parameters.Count > 0)
            Report(FindingKind.Changed, parameters, "parameters that an exporter had merged, all their elements being one number, are trained apart.");
        if (tied.Count > 0)
            Report(FindingKind.Noticed, tied, "parameters are another one under a second name: each pair is tied, one trained tensor.");
        return statistics.Count + parameters.Count;
    }

    // The initializer a value is, or is the same as through Identity nodes.
    private static Value? Source(Value value)
    {
        while (value.Producer is { OpType: "Identity", Domain: "" } copy && copy.Input(0) is { } input && !value.IsOutput)
            value = input;
        return value is { Initializer: not null, IsInput: false } ? value : null;
    }

    // How many nodes read a value, also under another name; twice by one node counts twice.
    private static int Places(Value value) => value.Uses.Sum(u => u.Node is { OpType: "Identity", Domain: "" } copy ? Places(copy.Output) : 1) + (value.IsOutput ? 1 : 0);

    private static Value Copy(GraphEditor editor, Value source, string name)
    {
        var graph = source.Graph;
        // The name of the Identity that goes is that of the tensor before it was merged.
        if (graph.Find(name) is { Producer: not null } old)
            graph.Rename(old, graph.FreshName(name + "_merged"));
        return editor.AddConstant(graph, name, source.Initializer!);
    }
}
