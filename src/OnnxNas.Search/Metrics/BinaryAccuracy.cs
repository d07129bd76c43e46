namespace OnnxNas.Search.Metrics;

/// <summary>The share of logits on the right side of 0: above it for labels of at least 0.5, else not above. NaN is on neither.</summary>
public sealed class BinaryAccuracy : MeanMetric
{
    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    public override bool HigherIsBetter => true;

    /// <inheritdoc/>
    protected override double Score(double prediction, double label) => !double.IsNaN(prediction) && prediction > 0 == label >= 0.5 ? 1 : 0;
}
