namespace OnnxNas.Search.Metrics;

/// <summary>The mean of (prediction − label)² over all numbers.</summary>
public sealed class MeanSquaredError : MeanMetric
{
    /// <inheritdoc/>
    public override string Name => "mse";

    /// <inheritdoc/>
    public override bool HigherIsBetter => false;

    /// <inheritdoc/>
    protected override double Score(double prediction, double label) => (prediction - label) * (prediction - label);
}
