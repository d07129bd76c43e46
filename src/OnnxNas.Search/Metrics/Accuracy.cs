namespace OnnxNas.Search.Metrics;

/// <summary>The share of samples (or positions) whose highest logit is the label's; of equal ones the first counts as highest.</summary>
/// <param name="classAxis">The axis of the logits that classes lie along.</param>
public sealed class Accuracy(int classAxis = 1) : ClassMetric(classAxis)
{
    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    protected override bool IsHit(ReadOnlySpan<double> logits, int label) => Rank(logits, label) == 0;
}
