using OnnxNas.Ir;

namespace OnnxNas.Search.Metrics;

/// <summary>A metric of pairs of numbers: predictions <c>[N]</c> or <c>[N,…]</c> against as many labels.</summary>
public abstract class ValueMetric : Metric
{
    /// <inheritdoc/>
    public sealed override void Add(TensorData predictions, TensorData labels)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(labels);
        if (predictions.Dims.Count == 0 || labels.Dims.Count == 0 || predictions.Dims[0] != labels.Dims[0] || predictions.ElementCount != labels.ElementCount)
            throw new DataException($"{Name} compares as many labels as predictions, samples first; got {predictions} and {labels}.");
        if (predictions.ElementCount > 0)
            Add(predictions.ToDoubles(), labels.ToDoubles(), (int)(predictions.ElementCount / predictions.Dims[0]));
    }

    /// <summary>Adds pairs; each sample is <paramref name="width"/> of them.</summary>
    protected abstract void Add(ReadOnlySpan<double> predictions, ReadOnlySpan<double> labels, int width);
}
