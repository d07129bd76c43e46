namespace OnnxNas.Ir.Passes;

/// <summary>Values that are zero in every element whatever the caller gives, as <see cref="SimplifyAlgebra"/> sees them before weights are trained.</summary>
public static class ZeroValues
{
    // Before it, SimplifyAlgebra leaves zeros alone.
    private const int Simplified = 9;

    /// <summary>
    /// The zeros of the main graph that cost nothing once the graph is simplified: their extents are numbers or those of graph inputs, so that no other value
    /// is needed to make them. Types must have been inferred.
    /// </summary>
    public static IReadOnlySet<Value> Of(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset < Simplified)
            return new HashSet<Value>();
        var given = model.Graph.Inputs.SelectMany(i => i.Shape ?? Enumerable.Empty<Dim>()).Where(d => !d.IsUnknown).ToHashSet();
        return All(model).Where(v => v.Shape?.All(d => d.IsKnown || given.Contains(d)) == true).ToHashSet();
    }

    /// <summary>All zeros that nodes of the main graph make, whatever it takes to know their shape.</summary>
    public static IReadOnlySet<Value> All(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var zeros = new ZeroAnalysis(new GraphEditor(model), model.Opset, keepWeights: true);
        return model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Where(zeros.IsZero).ToHashSet();
    }
}
