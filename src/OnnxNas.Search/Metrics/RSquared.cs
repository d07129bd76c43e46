using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Metrics;

/// <summary>
/// The coefficient of determination, 1 − Σ(label − prediction)² / Σ(label − mean)², per number of a sample, averaged over these.
/// Where all labels are equal it is 1 if every prediction is right, else 0.
/// </summary>
public sealed class RSquared : ValueMetric
{
    private Column[] columns = [];

    /// <inheritdoc/>
    public override string Name => "r2";

    /// <inheritdoc/>
    public override bool HigherIsBetter => true;

    /// <inheritdoc/>
    public override double Value => columns.Length == 0 ? double.NaN : columns.Average(c => c.Value);

    /// <inheritdoc/>
    protected override void Add(ReadOnlySpan<double> predictions, ReadOnlySpan<double> labels, int width)
    {
        if (columns.Length == 0)
            columns = new Column[width];
        if (columns.Length != width)
            throw new DataException($"{Name} got batches of {columns.Length} and of {width} numbers per sample.");
        for (var i = 0; i < predictions.Length; i++)
            columns[i % width].Add(predictions[i], labels[i]);
    }

    /// <inheritdoc/>
    public override void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Put("columns", [.. columns.SelectMany(c => c.Sums)]);
    }

    /// <inheritdoc/>
    public override void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        columns = [.. state.GetDoubles("columns").Chunk(Column.Width).Select(sums => new Column(sums))];
    }

    // Welford's update: the sum of squares around the mean without the cancellation of Σy² − n·mean².
    private struct Column(double[] sums)
    {
        public const int Width = 4;
        private double count = sums[0];
        private double mean = sums[1];
        private double spread = sums[2];
        private double residual = sums[3];

        public readonly double[] Sums => [count, mean, spread, residual];

        public readonly double Value => spread > 0 || double.IsNaN(residual) ? 1 - residual / spread : residual == 0 ? 1 : 0;

        public void Add(double prediction, double label)
        {
            count++;
            var delta = label - mean;
            mean += delta / count;
            spread += delta * (label - mean);
            residual += (label - prediction) * (label - prediction);
        }
    }
}
