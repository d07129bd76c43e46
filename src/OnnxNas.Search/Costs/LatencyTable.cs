using System.Security.Cryptography;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Rewriting;

namespace OnnxNas.Search.Costs;

/// <summary>A prediction held against what was measured, in milliseconds.</summary>
public sealed record LatencyCheck(Architecture Architecture, double Predicted, double Measured)
{
    /// <summary>|predicted − measured| / measured.</summary>
    public double Error => Math.Abs(Predicted - Measured) / Measured;
}

/// <summary>
/// The latency of every architecture, predicted from measured regions: base + slope · Σ (time of a live region alone − time of a model that does nothing).
/// Base and slope are fitted to some whole architectures that are measured too, since a region alone pays for what it takes in and gives out, and misses
/// what the runtime fuses across its border.
/// </summary>
public sealed class LatencyTable
{
    // Enough for a line, few enough to be measured at every start.
    private const int CalibrationCount = 8;
    private readonly IModelTimer timer;
    private readonly InputExtents extents;

    private LatencyTable(IModelTimer timer, InputExtents extents, CostTable table, int regions, int distinct, double fixedTime, double slope)
    {
        (this.timer, this.extents) = (timer, extents);
        (Table, Regions, DistinctRegions, Base, Slope) = (table, regions, distinct, fixedTime, slope);
    }

    /// <summary>Predicted milliseconds of every architecture.</summary>
    public CostTable Table { get; }

    /// <summary>How many regions the model was cut into.</summary>
    public int Regions { get; }

    /// <summary>How many of them are different, each measured once.</summary>
    public int DistinctRegions { get; }

    /// <summary>Milliseconds that every architecture takes beside its regions.</summary>
    public double Base { get; }

    /// <summary>What a millisecond of a region alone makes in a whole net.</summary>
    public double Slope { get; }

    /// <summary>Measures the regions of a marked model.</summary>
    /// <exception cref="ShapeInferenceException">A shape is not known before running.</exception>
    /// <exception cref="OnnxNasException">The timer cannot run a region.</exception>
    public static LatencyTable Measure(SearchSpace space, IModelTimer timer) => Measure(space, new(space), timer, InputExtents.Declared);

    internal static LatencyTable Measure(SearchSpace space, Liveness liveness, IModelTimer timer, InputExtents extents)
    {
        var idle = timer.Milliseconds(Idle());
        var known = new Dictionary<string, double>();
        var parts = new List<CostPart>();
        var regions = 0;
        foreach (var region in new Regions(space, liveness, extents).All().Where(r => r.Model is not null))
        {
            var key = Convert.ToHexString(SHA256.HashData(region.Model!));
            if (!known.TryGetValue(key, out var time))
                known[key] = time = Math.Max(0, timer.Milliseconds(region.Model!) - idle);
            parts.Add(new(region.Nodes, time));
            regions++;
        }

        var raw = new CostTable(space, liveness, CostKind.Latency, 0, parts);
        var whole = Drawn(space, CalibrationCount).Select(a => (Sum: raw.Of(a), Measured: timer.Milliseconds(Written(space.Model, a, extents)))).ToList();
        var (fixedTime, slope) = Fit(whole, idle);
        return new(timer, extents, new(space, liveness, CostKind.Latency, fixedTime, parts.Select(p => p with { Value = slope * p.Value })), regions, known.Count, fixedTime, slope);
    }

    /// <summary>Predicts and measures an architecture as a whole.</summary>
    public LatencyCheck Check(Architecture architecture) => new(architecture, Table.Of(architecture), timer.Milliseconds(Written(Table.Space.Model, architecture, extents)));

    /// <summary>The line through points that errs least in proportion; it rises, and no run takes less than one that does nothing.</summary>
    internal static (double Base, double Slope) Fit(IReadOnlyList<(double Sum, double Measured)> points, double idle)
    {
        var (w, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        foreach (var (sum, measured) in points)
        {
            var weight = 1 / (measured * measured);
            w += weight;
            x += weight * sum;
            y += weight * measured;
            xx += weight * sum * sum;
            xy += weight * sum * measured;
        }

        var spread = w * xx - x * x;
        var slope = spread > 1e-9 * w * xx ? (w * xy - x * y) / spread : 1;
        if (slope <= 0)
            slope = 1;
        var start = (y - slope * x) / w;
        return start >= idle ? (start, slope) : (idle, xx > 0 ? Math.Max(0, (xy - idle * x) / xx) : 1);
    }

    private static IEnumerable<Architecture> Drawn(SearchSpace space, int count) =>
        Enumerable.Range(0, count).Select(i => Architecture.Random(space, new SeededRandom(0, RandomStreams.Latency, i))).Distinct();

    private static byte[] Written(Model marked, Architecture architecture, InputExtents extents)
    {
        var model = Pruner.Prune(marked, architecture);
        Pruner.Finish(model);
        extents.Declare(model.Graph);
        return OnnxFile.ToWholeBytes(model);
    }

    private static byte[] Idle()
    {
        var graph = new Graph("region");
        var output = graph.Call("Identity", [graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(1)))], "y");
        output.Type = new TensorType(ElementType.Float32, new Shape(1));
        graph.AddOutput(output);
        var model = new Model(graph);
        model.OpsetImports[""] = 13;
        return OnnxFile.ToWholeBytes(model);
    }
}
