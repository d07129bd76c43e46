using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Metrics;

/// <summary>What a score is worth: beside that of the best constant answer, and beside that of the supernet.</summary>
public static class Chance
{
    // Shares of the way from the constant answer to a perfect one, and to the supernet's.
    private const double LeastOfPerfect = 0.1;
    private const double LeastOfSupernet = 0.3;

    /// <summary>Why a score is poor, as a sentence; null where it is not, or where labels are probabilities.</summary>
    /// <param name="score">The metric of a model on the samples.</param>
    /// <param name="supernet">That of the supernet; not a number where it is not known.</param>
    /// <param name="metric">The metric, which the loss is judged by.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="loss">The loss.</param>
    public static string? WhyPoor(double score, double supernet, Metric metric, Dataset samples, Loss loss)
    {
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(loss);
        if (loss.HasProbabilities)
            return null;
        var constant = OfConstant(samples, loss);
        var perfect = metric.HigherIsBetter ? 1.0 : 0.0;
        var gained = metric.HigherIsBetter ? score - constant : constant - score;
        var couldGain = Math.Abs(perfect - constant);
        var supernetGained = metric.HigherIsBetter ? supernet - constant : constant - supernet;
        if (gained > LeastOfPerfect * couldGain && !(gained < LeastOfSupernet * supernetGained))
            return null;
        var known = double.IsFinite(supernet) ? $", and the supernet has {Text(supernet)}" : "";
        return $"its {metric.Name} on the validation samples is {Text(score)}; one answer for all samples has {Text(constant)}{known}.";
    }

    /// <summary>The metric of the best answer that is the same for all samples: of the commonest class, the mean or the median.</summary>
    private static double OfConstant(Dataset samples, Loss loss)
    {
        var labels = samples.Labels([.. Enumerable.Range(0, samples.Count)], ElementType.Float64).ToDoubles();
        switch (loss.Name)
        {
            case "cross-entropy":
                return (double)labels.GroupBy(c => c).Max(same => same.Count()) / labels.Length;
            case "bce-with-logits":
                var ones = (double)labels.Count(l => l > 0.5) / labels.Length;
                return Math.Max(ones, 1 - ones);
            case "mae":
                var median = labels.Order().ElementAt(labels.Length / 2);
                return labels.Average(l => Math.Abs(l - median));
            default:
                var mean = labels.Average();
                return labels.Average(l => (l - mean) * (l - mean));
        }
    }

    private static string Text(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
