namespace OnnxNas.Ir.Passes.Import;

/// <summary>A pass that makes a model fit for training, and says what it found.</summary>
public abstract class ImportPass : Pass
{
    private readonly List<Finding> findings = [];

    /// <summary>What the last run found, in order.</summary>
    public IReadOnlyList<Finding> Findings => findings;

    /// <inheritdoc/>
    public sealed override int Apply(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        findings.Clear();
        return Import(model);
    }

    /// <summary>Rewrites the model; returns the number of changes.</summary>
    protected abstract int Import(Model model);

    /// <summary>Says what was found about nodes or values.</summary>
    protected void Report(FindingKind kind, IEnumerable<string> subjects, string message) => findings.Add(new(Name, kind, [.. subjects], message));
}
