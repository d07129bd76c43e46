using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Metrics;

/// <summary>
/// The share of hits among class predictions: logits <c>[N,C,…]</c> against class indices <c>[N,…]</c>, or against probabilities of the logits' shape, the largest of which is the class.
/// Logits with a NaN are no hit.
/// </summary>
/// <param name="classAxis">The axis of the logits that classes lie along.</param>
public abstract class ClassMetric(int classAxis) : Metric
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
        var areRows = labels.Dims.SequenceEqual(predictions.Dims);
        if (predictions.Dims.Count <= classAxis || labels.Dims.Count == 0 || labels.Dims[0] != predictions.Dims[0]
            || !areRows && labels.ElementCount * predictions.Dims[classAxis] != predictions.ElementCount)
            throw new DataException($"{Name} compares logits [N,C,…] with class indices [N,…]; got {predictions} and {labels}.");
        var (values, classes) = (predictions.ToDoubles(), (int)predictions.Dims[classAxis]);
        var inner = (int)predictions.Dims.Skip(classAxis + 1).Aggregate(1L, (a, b) => a * b);
        var logits = new double[classes];
        var rows = areRows ? labels.ToDoubles() : [];
        var indices = areRows ? [] : labels.ToInt64s();
        var row = new double[areRows ? classes : 0];
        for (var i = 0; i < predictions.ElementCount / Math.Max(classes, 1); i++)
        {
            var start = i / inner * classes * inner + i % inner;
            Take(values, start, logits);
            Take(rows, start, row);
            var label = areRows ? row.Index().MaxBy(r => r.Item).Index : indices[i];
            if (label < 0 || label >= classes)
                throw new DataException($"{Name} got class index {label}, but the output has {classes} classes.");
            if (!logits.Any(double.IsNaN) && IsHit(logits, (int)label))
                hits++;
            total++;
        }

        void Take(double[] from, int start, double[] to)
        {
            for (var c = 0; c < to.Length; c++)
                to[c] = from[start + c * inner];
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
