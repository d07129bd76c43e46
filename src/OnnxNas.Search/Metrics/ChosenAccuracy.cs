namespace OnnxNas.Search.Metrics;

/// <summary>The share of class numbers that are the label's.</summary>
public sealed class ChosenAccuracy : MeanMetric
{
    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    public override bool HigherIsBetter => true;

    /// <inheritdoc/>
    protected override double Score(double prediction, double label) => prediction == label ? 1 : 0;
}
