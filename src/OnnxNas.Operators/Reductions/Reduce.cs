using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Reductions;

/// <summary>
/// The reductions, all versions: data over <c>axes</c>, which stay with extent 1 unless <c>keepdims</c> is 0.
/// Axes are an attribute before version 18 (ReduceSum: 13), then an input. No axes means all, or none with <c>noop_with_empty_axes</c>.
/// </summary>
internal sealed class Reduce : NamedOperator
{
    private static readonly ElementType[] Ordered = [.. TypeSets.Floats, .. TypeSets.Bytes, .. TypeSets.WideIntegers, ElementType.Bool];

    private static readonly Rule[] Rules =
    [
        new("ReduceSum", [1, 11, 13], (x, axes, keep) => x.sum(axes, keep, x.dtype)),
        new("ReduceMean", [1, 11, 13, 18], Mean),
        new("ReduceMax", [1, 11, 12, 13, 18, 20], (x, axes, keep) => Extreme(x, axes, keep, greatest: true)) { Types = Ordered },
        new("ReduceMin", [1, 11, 12, 13, 18, 20], (x, axes, keep) => Extreme(x, axes, keep, greatest: false)) { Types = Ordered },
        new("ReduceProd", [1, 11, 13, 18], Product),
        new("ReduceL1", [1, 11, 13, 18], (x, axes, keep) => x.abs().sum(axes, keep, x.dtype)) { Elementwise = x => x.abs() },
        new("ReduceL2", [1, 11, 13, 18], (x, axes, keep) => Root(x, x.Square().sum(axes, keep, x.dtype))) { Elementwise = x => x.abs() },
        new("ReduceSumSquare", [1, 11, 13, 18], (x, axes, keep) => x.Square().sum(axes, keep, x.dtype)) { Elementwise = x => x.Square() },
        new("ReduceLogSum", [1, 11, 13, 18], (x, axes, keep) => x.sum(axes, keep, x.dtype).log()) { Elementwise = x => x.log() },
        new("ReduceLogSumExp", [1, 11, 13, 18], LogSumExp),
    ];

    private readonly Rule rule;
    private readonly IntegerList axes;
    private readonly bool keep;
    private readonly bool emptyMeansNone;

    private Reduce(NodeReader node, Rule rule) : base(node, 1, node.Version < rule.AxesInputSince ? 1 : 2)
    {
        this.rule = rule;
        axes = IntegerList.Read(node, "axes", 1, rule.AxesInputSince);
        keep = node.Flag("keepdims", true);
        emptyMeansNone = node.Version >= rule.AxesInputSince && node.Flag("noop_with_empty_axes", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (context.Shape(0) is not { } x)
            return UnknownShape(element);
        var given = axes.IsGiven ? axes.Numbers(context) : [];
        if (given is null)
            return keep ? Output(element, KnownElements.Unknown(x.Rank)) : UnknownShape(element);
        var over = Over(given, x.Rank);
        return Output(element, x.Select((d, i) => over.Contains(i) ? 1 : d).Where((_, i) => keep || !over.Contains(i)));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var shape = x.shape;
        var wide = WideUnsigned.Widened(x, wraps: false);
        long[] over = [.. Over(axes.Run(inputs) ?? [], shape.Length).Select(a => (long)a)];
        // Torch takes an empty list of axes for all of them.
        if (over.Length == 0)
            return [WideUnsigned.Narrowed(rule.Elementwise?.Invoke(wide) ?? wide, x)];
        return [WideUnsigned.Narrowed(rule.Kernel(wide, over, keep), x)];
    }

    private int[] Over(long[] given, int rank)
    {
        if (given.Length > 0)
            return Axes(given, rank);
        return emptyMeansNone ? [] : [.. Enumerable.Range(0, rank)];
    }

    private static Tensor Mean(Tensor x, long[] axes, bool keep)
    {
        if (x.is_floating_point())
            return x.mean(axes, keep);
        long count = 1;
        foreach (var axis in axes)
            count *= x.shape[axis];
        return count == 0 ? throw new ShapeInferenceException("the mean of no integers does not exist.") : x.sum(axes, keep).div(Scalars.Of(count), RoundingMode.trunc).to(x.dtype);
    }

    private static Tensor Extreme(Tensor x, long[] axes, bool keep, bool greatest)
    {
        var shape = x.shape;
        if (axes.All(a => shape[a] > 0))
            return greatest ? x.amax(axes, keep) : x.amin(axes, keep);
        // Over nothing, the result is the least (greatest) value of the type.
        var reduced = x.to(ScalarType.Float64).sum(axes, keep);
        if (x.is_floating_point())
            return full_like(reduced, Scalars.Of(greatest ? double.NegativeInfinity : double.PositiveInfinity)).to(x.dtype);
        var (least, most) = Bounds(x.dtype);
        return full_like(reduced.to(x.dtype), Scalars.Of(greatest ? least : most));
    }

    private static (long Least, long Most) Bounds(ScalarType type) => type switch
    {
        ScalarType.Bool => (0, 1),
        ScalarType.Byte => (byte.MinValue, byte.MaxValue),
        ScalarType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ScalarType.Int16 => (short.MinValue, short.MaxValue),
        ScalarType.Int32 => (int.MinValue, int.MaxValue),
        _ => (long.MinValue, long.MaxValue),
    };

    private static Tensor Product(Tensor x, long[] axes, bool keep)
    {
        var result = x;
        foreach (var axis in axes.OrderDescending())
            result = result.prod(axis, keep, x.dtype);
        return result;
    }

    private static Tensor Root(Tensor x, Tensor squares) => squares.sqrt().to(x.dtype);

    private static Tensor LogSumExp(Tensor x, long[] axes, bool keep)
    {
        // In one axis, which is all that logsumexp takes here.
        long[] kept = [.. Enumerable.Range(0, (int)x.dim()).Select(i => (long)i).Except(axes)];
        var shape = x.shape;
        var flat = x.permute([.. kept, .. axes]).reshape([.. kept.Select(a => shape[a]), axes.Aggregate(1L, (n, a) => n * shape[a])]);
        var result = flat.logsumexp(-1);
        return keep ? result.reshape([.. shape.Select((d, i) => axes.Contains(i) ? 1 : d)]) : result;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => Rules.Select(r => new OperatorDefinition(r.Name, r.Versions, node => new Reduce(node, r)) { Types = r.Types, Ranges = [new(1, 0, 0)] });
    }

    private sealed record Rule(string Name, int[] Versions, Func<Tensor, long[], bool, Tensor> Kernel)
    {
        /// <summary>What is left of the function when there is no axis to reduce; null: nothing.</summary>
        public Func<Tensor, Tensor>? Elementwise { get; init; }

        public IReadOnlyList<ElementType> Types { get; init; } = [.. TypeSets.Floats, .. TypeSets.WideIntegers];

        public int AxesInputSince => Name == "ReduceSum" ? 13 : 18;
    }
}
