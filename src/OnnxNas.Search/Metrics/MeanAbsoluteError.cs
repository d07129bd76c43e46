namespace OnnxNas.Search.Metrics;

/// <summary>The mean of |prediction − label| over all numbers.</summary>
public sealed class MeanAbsoluteError : MeanMetric
{
    /// <inheritdoc/>
    public override string Name => "mae";

    /// <inheritdoc/>
    public override bool HigherIsBetter => false;

    /// <inheritdoc/>
    protected override double Score(double prediction, double label) => Math.Abs(prediction - label);
}
