using OnnxNas.Search.Checkpoints;

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

    /// <inheritdoc/>
    public sealed override void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Put("sum", sum);
        state.Put("total", total);
    }

    /// <inheritdoc/>
    public sealed override void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (sum, total) = (state.GetDouble("sum"), state.GetInt64("total"));
    }

    /// <summary>The score of one pair.</summary>
    protected abstract double Score(double prediction, double label);
}
