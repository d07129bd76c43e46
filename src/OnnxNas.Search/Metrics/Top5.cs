namespace OnnxNas.Search.Metrics;

/// <summary>The share of samples (or positions) whose label is among the five highest logits; of equal ones the first rank higher.</summary>
public sealed class Top5 : ClassMetric
{
    /// <inheritdoc/>
    public override string Name => "top-5";

    /// <inheritdoc/>
    protected override bool IsHit(ReadOnlySpan<double> logits, int label) => Rank(logits, label) < 5;
}
