namespace OnnxNas.Search.Metrics;

/// <summary>The mean of a score over all pairs.</summary>
public abstract class MeanMetric : ValueMetric
{
    private double sum;
    private long total;

    /// <inheritdoc/>
    public sealed override double Value => total == 0 ? double.NaN : sum / total;

    /// <inheritdoc/>
    protected sealed override void Add(ReadOnlySpan<double> predictions, ReadOnlySpan<double> labels, int width)
    {
        for (var i = 0; i < predictions.Length; i++)
            sum += Score(predictions[i], labels[i]);
        total += predictions.Length;
    }

    /// <summary>The score of one pair.</summary>
    protected abstract double Score(double prediction, double label);
}
