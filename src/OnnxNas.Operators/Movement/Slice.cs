using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Slice, all versions: part of some axes, from start to before end, in steps that may be negative. Attributes in version 1, inputs from 10 on.</summary>
internal sealed class Slice : NamedOperator
{
    // Exporters write "to the end" as the greatest int32 or int64.
    private const long Far = int.MaxValue;

    private readonly IntegerList starts;
    private readonly IntegerList ends;
    private readonly IntegerList axes;
    private readonly IntegerList steps;

    private Slice(NodeReader node) : base(node, node.Version < 10 ? 1 : 3, node.Version < 10 ? 1 : 5)
    {
        starts = IntegerList.Read(node, "starts", 1, 10);
        ends = IntegerList.Read(node, "ends", 2, 10);
        axes = IntegerList.Read(node, "axes", 3, 10);
        steps = node.Version < 10 ? IntegerList.None : IntegerList.Read(node, "steps", 4, 10);
        if (!starts.IsGiven || !ends.IsGiven)
            throw node.Malformed("starts and ends are missing; the operator needs both.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (data.Shape is not { } shape)
            return UnknownShape(data.Element);
        var (start, end) = (starts.Infer(context), ends.Infer(context));
        var axisNumbers = axes.IsGiven ? axes.Numbers(context) : null;
        if (start is null || end is null || axes.IsGiven && axisNumbers is null)
            return Output(data.Element, KnownElements.Unknown(shape.Rank));
        var stepNumbers = steps.IsGiven ? steps.Numbers(context) : Ones(start.Count);
        var at = Targets(axisNumbers, start.Count, end.Count, stepNumbers?.Length, shape.Rank);
        Dim[] dims = [.. shape];
        for (var i = 0; i < at.Length; i++)
            dims[at[i]] = stepNumbers is null ? Dim.Unknown() : Extent(shape[at[i]], start[i], end[i], Step(stepNumbers[i]));
        return Output(data.Element, dims, Elements(data, at, start, end, stepNumbers));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (start, end, step) = (starts.Run(inputs)!, ends.Run(inputs)!, steps.Run(inputs));
        var at = Targets(axes.Run(inputs), start.Length, end.Length, step?.Length, (int)inputs[0]!.dim());
        var result = inputs[0]!;
        var extents = inputs[0]!.shape;
        for (var i = 0; i < at.Length; i++)
        {
            var by = Step(step?[i] ?? 1);
            var (from, count) = Clamp(extents[at[i]], start[i], end[i], by);
            if (by > 0)
            {
                result = result.slice(at[i], from, Math.Min(extents[at[i]], from + count * by), by);
            }
            else
            {
                var last = from + (count - 1) * by;
                result = count == 0 ? result.slice(at[i], 0, 0, 1) : result.slice(at[i], last, from + 1, -by).flip([at[i]]);
            }
        }

        return [result];
    }

    /// <summary>The first place and the number of places on an axis.</summary>
    private static (long From, long Count) Clamp(long extent, long start, long end, long step)
    {
        var (low, high) = step > 0 ? (0L, extent) : (-1L, extent - 1);
        var from = Math.Clamp(start < 0 ? start + extent : start, Math.Min(0, high), high);
        var to = Math.Clamp(end < 0 ? end + extent : end, low, high);
        var room = step > 0 ? to - from : from - to;
        var stride = Math.Abs(step);
        return (from, room <= 0 ? 0 : (room - 1) / stride + 1);
    }

    private static Dim Extent(Dim extent, Dim start, Dim end, long step)
    {
        if (extent.IsKnown && start.IsKnown && end.IsKnown)
            return Clamp(extent.Value, start.Value, end.Value, step).Count;
        if (step > 0)
            return Dim.CeilDiv(Place(extent, end, extent) - Place(extent, start, extent), step);
        var to = end.ValueOrNull <= -Far ? -1 : Place(extent, end, extent - 1);
        return Dim.CeilDiv(Place(extent, start, extent - 1) - to, -step);
    }

    /// <summary>A bound on an axis. A number counted from the end of a symbolic extent is taken to lie inside.</summary>
    private static Dim Place(Dim extent, Dim bound, Dim most)
    {
        if (bound.ValueOrNull is < 0)
            return extent.IsKnown ? Math.Max(0, extent.Value + bound.Value) : extent + bound;
        if (bound.ValueOrNull >= Far)
            return most;
        return bound.ValueOrNull == 0 ? 0 : bound.IsNonNegative ? Dim.Min(bound, most) : Dim.Unknown();
    }

    private Dim[]? Elements(InferredValue data, int[] at, IReadOnlyList<Dim> start, IReadOnlyList<Dim> end, long[]? step)
    {
        if (data.Elements is not { } known || data.Shape is not { Rank: 1 } || at.Length != 1 || step is null || !start[0].IsKnown || !end[0].IsKnown)
            return null;
        var by = Step(step[0]);
        var (from, count) = Clamp(known.Count, start[0].Value, end[0].Value, by);
        return [.. Enumerable.Range(0, (int)count).Select(i => known[(int)(from + i * by)])];
    }

    private int[] Targets(long[]? given, int startCount, int endCount, int? stepCount, int rank)
    {
        var wanted = given?.Length ?? startCount;
        if (startCount != wanted || endCount != wanted || stepCount is { } s && s != wanted)
            throw Error($"starts, ends, axes and steps must be of equal length, got {startCount}, {endCount}, {given?.Length ?? startCount} and {stepCount ?? startCount}.");
        return Axes(given ?? [.. Enumerable.Range(0, startCount).Select(i => (long)i)], rank);
    }

    private long Step(long step) => step switch
    {
        0 => throw Error("a step is 0; it must be positive or negative."),
        // Nothing is further away than this, and its negative and its products stay in range.
        > int.MaxValue => int.MaxValue,
        < -int.MaxValue => -int.MaxValue,
        _ => step,
    };

    private static long[] Ones(int count)
    {
        var ones = new long[count];
        Array.Fill(ones, 1);
        return ones;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Slice", [1, 10, 11, 13], node => new Slice(node)) { Ranges = [new(1, 0, 0), new(2, 1, 4), new(3, 0, 0), new(4, 1, 2)], Types = TypeSets.All }];
    }
}
