namespace OnnxNas.Ir.Passes.Import;

/// <summary>The constants behind a value in a parameter position.</summary>
public static class ParameterSources
{
    // Operators that hand a parameter on in another form: exporters in training mode leave them beside the weights, and for quantisation they round them.
    private static readonly HashSet<string> Movements =
        ["Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Concat", "Cast", "QuantizeLinear", "DequantizeLinear"];

    /// <summary>Whether a node hands a parameter on in another form, moved or rounded.</summary>
    internal static bool IsMovement(Node node) => node.Domain.Length == 0 && Movements.Contains(node.OpType);

    /// <summary>
    /// The initializers and Constant nodes' outputs that a value is made of by nodes that only move or round elements, as in <c>MatMul(x, Transpose(w))</c>; none where it depends on
    /// anything else.
    /// </summary>
    public static IReadOnlyList<Value> Of(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Initializer is not null || value.Producer is { OpType: "Constant", Domain: "" })
            return [value];
        if (value.Producer is not { Domain: "" } maker || !Movements.Contains(maker.OpType))
            return [];
        var parts = maker.Inputs.Take(maker.OpType == "Concat" ? int.MaxValue : 1).Select(i => i is null ? [] : Of(i)).ToList();
        return parts.All(p => p.Count > 0) ? [.. parts.SelectMany(p => p).Distinct()] : [];
    }
}
