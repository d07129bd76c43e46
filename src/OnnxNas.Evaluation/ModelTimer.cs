using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Evaluation;

/// <summary>
/// Measures models for one sample, each once: in blocks of runs, of which the fastest block's median counts, since whatever else the machine does can only slow a block down.
/// </summary>
/// <param name="threads">Threads of ONNX Runtime.</param>
/// <param name="cache">Where measurements are kept; null for nowhere.</param>
public sealed class ModelTimer(int threads, LatencyCache? cache)
{
    private const int Blocks = 9;
    private const int WarmUp = 10;
    private const int LeastRuns = 10;
    private const int MostRuns = 200;

    // A block long enough that the clock and the scheduler's slices do not matter.
    private const double BlockMilliseconds = 20;

    /// <summary>The latency of a model on random input of one sample.</summary>
    /// <param name="model">The bytes of a file that needs no external data.</param>
    /// <exception cref="OnnxNasException">ONNX Runtime cannot run it, or its inputs cannot be drawn.</exception>
    public Latency Measure(byte[] model)
    {
        using var session = new OnnxSession(model, new() { Threads = threads });
        // Whole numbers may be divisors or sizes: a 1 is good for each.
        var ones = session.Inputs.ToDictionary(i => i.Name, _ => new ValueRange(1, 1), StringComparer.Ordinal);
        var feeds = RandomInputs.For(session, 0, batch: 1, ranges: ones);
        var key = LatencyCache.Key(model, feeds, threads);
        if (cache?.Find(key) is { } kept)
            return kept;
        var first = LatencyMeter.Measure(session, feeds, WarmUp, LeastRuns);
        var runs = (int)Math.Clamp(BlockMilliseconds / Math.Max(first.Median, 1e-6), LeastRuns, MostRuns);
        var best = Enumerable.Range(0, Blocks).Select(_ => Block(model, feeds, runs)).MinBy(l => l.Median)!;
        cache?.Store(key, best);
        return best;
    }

    // In a session of its own: where its threads are put can make a whole session slow.
    private Latency Block(byte[] model, IReadOnlyDictionary<string, TensorData> feeds, int runs)
    {
        using var session = new OnnxSession(model, new() { Threads = threads });
        return LatencyMeter.Measure(session, feeds, WarmUp, runs);
    }
}
