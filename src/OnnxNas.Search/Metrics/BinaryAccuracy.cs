namespace OnnxNas.Search.Metrics;

/// <summary>The share of predictions on the right side of a threshold: above it for labels of at least 0.5, else not above. NaN is on neither.</summary>
/// <param name="threshold">0 for logits, 0.5 for probabilities.</param>
public sealed class BinaryAccuracy(double threshold = 0) : MeanMetric
{
    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    public override bool HigherIsBetter => true;

    /// <inheritdoc/>
    protected override double Score(double prediction, double label) => !double.IsNaN(prediction) && prediction > threshold == label >= 0.5 ? 1 : 0;
}
