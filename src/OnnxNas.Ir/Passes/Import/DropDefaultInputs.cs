namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// graph(x, w = [..]) → graph(x), w = [..].
/// </summary>
/// <remarks>
/// Requires nothing. Ensures that no initializer is a graph input: below IR version 4 every one had to be listed, and since then one that is listed is a default the caller
/// may replace, which a weight must not be. Raises the IR version to 4.
/// </remarks>
public sealed class DropDefaultInputs : ImportPass
{
    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var listed = model.Graph.Inputs.Where(i => i.Initializer is not null).Distinct().ToList();
        if (listed.Count == 0)
            return 0;
        foreach (var value in listed)
            model.Graph.RemoveInput(value);
        model.IrVersion = Math.Max(model.IrVersion, GraphEditor.FreeInitializers);
        Report(FindingKind.Changed, listed.Select(v => v.Name), "constants listed as graph inputs too are constants only.");
        return listed.Count;
    }
}
