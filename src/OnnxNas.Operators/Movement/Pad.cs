using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// Pad from version 2 on: constant, reflect, edge and (from 19) wrap; negative pads crop. Pads and value are attributes
/// in version 2, inputs from 11 on; <c>axes</c> came with 18.
/// </summary>
internal sealed class Pad : NamedOperator
{
    private readonly string mode;
    private readonly float value;
    private readonly IntegerList pads;
    private readonly IntegerList axes;

    private Pad(NodeReader node) : base(node, node.Version < 11 ? 1 : 2, node.Version < 11 ? 1 : node.Version < 18 ? 3 : 4)
    {
        mode = node.String("mode", "constant");
        value = node.Version < 11 ? node.Float("value", 0) : 0;
        pads = IntegerList.Read(node, "pads", 1, 11);
        axes = node.Version < 18 ? IntegerList.None : IntegerList.Read(node, "axes", 3, 18);
        if (!pads.IsGiven)
            throw node.Malformed("attribute 'pads' is missing; the operator needs it.");
        if (mode is not ("constant" or "reflect" or "edge") && !(mode == "wrap" && node.Version >= 19))
            throw node.Unsupported($"mode '{mode}' is not one of constant, reflect, edge, and wrap from version 19 on.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (data.Shape is not { } shape)
            return UnknownShape(data.Element);
        var axisNumbers = axes.IsGiven ? axes.Numbers(context) : null;
        if (pads.Infer(context) is not { } amounts || axes.IsGiven && axisNumbers is null)
            return Output(data.Element, KnownElements.Unknown(shape.Rank));
        var at = Targets(axisNumbers, amounts.Count, shape.Rank);
        Dim[] dims = [.. shape];
        for (var i = 0; i < at.Length; i++)
            dims[at[i]] += amounts[i] + amounts[at.Length + i];
        return dims.Any(d => d.ValueOrNull < 0)
            ? throw Error($"pads [{string.Join(',', amounts)}] crop more than {shape} has.")
            : Output(data.Element, dims);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var shape = inputs[0]!.shape;
        var amounts = pads.Run(inputs)!;
        var at = Targets(axes.Run(inputs), amounts.Length, shape.Length);
        var (begin, end) = (new long[shape.Length], new long[shape.Length]);
        for (var i = 0; i < at.Length; i++)
        {
            (begin[at[i]], end[at[i]]) = (amounts[i], amounts[at.Length + i]);
            if (begin[at[i]] < -shape[at[i]] || end[at[i]] < -shape[at[i]] || begin[at[i]] + end[at[i]] + shape[at[i]] is < 0 or > int.MaxValue)
                throw Error($"pads {begin[at[i]]} and {end[at[i]]} do not fit the extent {shape[at[i]]} of axis {at[i]}.");
        }

        return
        [
            mode == "constant"
                ? Constant(inputs[0]!, begin, end, inputs.Count > 2 ? inputs[2] : null)
                : Mirrored(inputs[0]!, shape, begin, end),
        ];
    }

    private Tensor Constant(Tensor x, long[] begin, long[] end, Tensor? given)
    {
        if (given is not null && given.numel() != 1)
            throw Error($"the constant value must be one element, got {given.numel()}.");
        // Torch counts from the last axis.
        long[] amounts = [.. Enumerable.Range(1, begin.Length).SelectMany(i => new[] { begin[^i], end[^i] })];
        if (begin.Length == 0)
            return x;
        if (given is { requires_grad: true })
        {
            var outside = nn.functional.pad(zeros_like(x), amounts, PaddingModes.Constant, 1);
            return nn.functional.pad(x, amounts, PaddingModes.Constant, 0).Plus(outside * given.reshape([]));
        }

        return nn.functional.pad(x, amounts, PaddingModes.Constant, given is null ? value : given.to(ScalarType.Float64).item<double>());
    }

    private Tensor Mirrored(Tensor x, long[] shape, long[] begin, long[] end)
    {
        var result = x;
        for (var a = 0; a < shape.Length; a++)
        {
            if (begin[a] == 0 && end[a] == 0)
                continue;
            if (shape[a] == 0)
                throw Error($"axis {a} has extent 0, so mode '{mode}' has nothing to pad with.");
            var places = new long[begin[a] + shape[a] + end[a]];
            for (var i = 0; i < places.Length; i++)
                places[i] = Source(i - begin[a], shape[a]);
            result = result.index_select(a, tensor(places, device: x.device));
        }

        return result;
    }

    private long Source(long place, long extent)
    {
        if (mode == "edge" || extent == 1)
            return Math.Clamp(place, 0, extent - 1);
        if (mode == "wrap")
            return (place % extent + extent) % extent;
        var period = 2 * (extent - 1);
        var phase = (place % period + period) % period;
        return phase < extent ? phase : period - phase;
    }

    private int[] Targets(long[]? given, int amounts, int rank)
    {
        var count = given?.Length ?? rank;
        return amounts == 2 * count
            ? Axes(given ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)], rank)
            : throw Error($"there are {amounts} pads for {count} axes; two are needed for each.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Pad", [2, 11, 13, 18, 19, 21, 23, 24, 25], node => new Pad(node)) { Ranges = [new(1, 0, 2), new(3, 0, 0)], Types = TypeSets.All }];
    }
}
