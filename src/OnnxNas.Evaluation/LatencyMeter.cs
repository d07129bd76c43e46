using System.Diagnostics;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>Times of a run in milliseconds: the middle one, and those that 90 and 99 of 100 runs stay within.</summary>
public sealed record Latency(double Median, double P90, double P99, int Iterations);

/// <summary>Measures how long a model takes, from feeds in memory to outputs in memory, copies excluded.</summary>
public static class LatencyMeter
{
    /// <summary>Runs the model repeatedly on the same feeds.</summary>
    /// <param name="session">The model; its thread count is part of what is measured.</param>
    /// <param name="feeds">A tensor per input.</param>
    /// <param name="warmUp">Runs before the first that counts.</param>
    /// <param name="iterations">Runs that count.</param>
    /// <exception cref="OnnxNasException">A feed does not fit or a run fails.</exception>
    public static Latency Measure(OnnxSession session, IReadOnlyDictionary<string, TensorData> feeds, int warmUp = 10, int iterations = 100)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfNegative(warmUp);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        using var bound = session.Bind(feeds);
        for (var i = 0; i < warmUp; i++)
            bound.RunRaw().Dispose();
        var times = new double[iterations];
        for (var i = 0; i < iterations; i++)
        {
            var start = Stopwatch.GetTimestamp();
            bound.RunRaw().Dispose();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return Summarize(times);
    }

    /// <summary>Nearest-rank percentiles; the median of an even number is the mean of the two in the middle.</summary>
    internal static Latency Summarize(double[] times)
    {
        double[] sorted = [.. times.Order()];
        var half = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new(median, Percentile(90), Percentile(99), sorted.Length);

        double Percentile(int percent) => sorted[(sorted.Length * percent + 99) / 100 - 1];
    }
}
