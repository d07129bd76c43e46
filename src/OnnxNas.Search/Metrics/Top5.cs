namespace OnnxNas.Search.Metrics;

/// <summary>The share of samples (or positions) whose label is among the five highest logits; of equal ones the first rank higher.</summary>
/// <param name="classAxis">The axis of the logits that classes lie along.</param>
public sealed class Top5(int classAxis = 1) : ClassMetric(classAxis)
{
    /// <inheritdoc/>
    public override string Name => "top-5";

    /// <inheritdoc/>
    protected override bool IsHit(ReadOnlySpan<double> logits, int label) => Rank(logits, label) < 5;
}
