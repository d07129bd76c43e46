using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Metrics;

/// <summary>
/// The share of hits among class predictions: logits <c>[N,C,…]</c> against class indices <c>[N,…]</c>. Logits with a NaN are no hit.
/// </summary>
public abstract class ClassMetric : Metric
{
    private long hits;
    private long total;

    /// <inheritdoc/>
    public override bool HigherIsBetter => true;

    /// <inheritdoc/>
    public override double Value => total == 0 ? double.NaN : (double)hits / total;

    /// <inheritdoc/>
    public override void Add(TensorData predictions, TensorData labels)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(labels);
        if (predictions.Dims.Count < 2 || labels.Dims.Count == 0 || labels.Dims[0] != predictions.Dims[0]
            || labels.ElementCount * predictions.Dims[1] != predictions.ElementCount)
            throw new DataException($"{Name} compares logits [N,C,…] with class indices [N,…]; got {predictions} and {labels}.");
        var (values, classes) = (predictions.ToDoubles(), (int)predictions.Dims[1]);
        var positions = (int)predictions.Dims.Skip(2).Aggregate(1L, (a, b) => a * b);
        var logits = new double[classes];
        var indices = labels.ToInt64s();
        for (var i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= classes)
                throw new DataException($"{Name} got class index {indices[i]}, but the output has {classes} classes.");
            var start = i / positions * classes * positions + i % positions;
            for (var c = 0; c < classes; c++)
                logits[c] = values[start + c * positions];
            if (!logits.Any(double.IsNaN) && IsHit(logits, (int)indices[i]))
                hits++;
            total++;
        }
    }

    /// <inheritdoc/>
    public sealed override void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Put("hits", hits);
        state.Put("total", total);
    }

    /// <inheritdoc/>
    public sealed override void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (hits, total) = (state.GetInt64("hits"), state.GetInt64("total"));
    }

    /// <summary>Whether these logits count as right for this class.</summary>
    protected abstract bool IsHit(ReadOnlySpan<double> logits, int label);

    /// <summary>How many classes come before <paramref name="label"/>: higher logits, and equal ones of a lower index.</summary>
    protected static int Rank(ReadOnlySpan<double> logits, int label)
    {
        var rank = 0;
        for (var c = 0; c < logits.Length; c++)
        {
            if (logits[c] > logits[label] || logits[c] == logits[label] && c < label)
                rank++;
        }

        return rank;
    }
}
