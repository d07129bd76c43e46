using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Sampling;

/// <summary>
/// DeformConv, versions 19 and 22: Conv of X <c>[N,C,H,W]</c> whose window reads between pixels, moved by offset <c>[N,G·kH·kW·2,oH,oW]</c>
/// (y before x) and scaled by mask <c>[N,G·kH·kW,oH,oW]</c>, G being <c>offset_group</c>. Planes only.
/// </summary>
internal sealed class DeformConv : NamedOperator
{
    private readonly WindowGeometry window;
    private readonly long group;
    private readonly long offsetGroup;

    private DeformConv(NodeReader node) : base(node, 3, 5)
    {
        window = new(node);
        group = node.Int("group", 1);
        offsetGroup = node.Int("offset_group", 1);
        if (group < 1 || offsetGroup < 1)
            throw node.Malformed($"group is {group} and offset_group {offsetGroup}; both must be positive.");
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 3];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x || context.Shape(1) is not { } w)
            return UnknownShape(context.Element(0));
        if (x.Rank != 4 || w.Rank != 4)
            throw Unsupported($"X {x} and W {w} must have four axes; other than planes are not supported.");
        return Output(context.Element(0), [x[0], w[0], .. window.OutputExtents(context, [.. x.Skip(2)], [.. w.Skip(2)])]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, w, offset, bias, mask) = (inputs[0]!, inputs[1]!, inputs[2]!, inputs.At(3), inputs.At(4));
        if (x.dim() != 4 || w.dim() != 4)
            throw Unsupported($"X {x.Text()} and W {w.Text()} must have four axes; other than planes are not supported.");
        var (s, k) = (x.shape, w.shape);
        var (n, c, taps) = (s[0], s[1], k[2] * k[3]);
        var pads = window.Pads(s.AsSpan(2), k.AsSpan(2));
        var (strides, dilations) = (window.Strides(2), window.Dilations(2));
        var extents = new long[2];
        for (var i = 0; i < 2; i++)
            extents[i] = Math.DivRem(s[2 + i] + pads[i] + pads[2 + i] - (k[2 + i] - 1) * dilations[i] - 1 + strides[i], strides[i]).Quotient;
        if (extents.Any(e => e < 1) || c % offsetGroup != 0 || c != k[1] * group || k[0] % group != 0
            || !offset.shape.SequenceEqual([n, offsetGroup * taps * 2, .. extents])
            || mask is not null && !mask.shape.SequenceEqual([n, offsetGroup * taps, .. extents])
            || bias is not null && !bias.shape.SequenceEqual([k[0]]))
        {
            throw Error($"X {x.Text()}, W {w.Text()}, offset {offset.Text()}, B {bias?.Text() ?? "none"} and mask {mask?.Text() ?? "none"} do not fit group {group} and offset_group {offsetGroup}.");
        }

        var places = extents[0] * extents[1];
        var moves = offset.reshape(n * offsetGroup, taps, 2, places);
        var start = Enumerable.Range(0, 2).Select(i => Start(i, k, extents, strides[i], dilations[i], pads[i], x)).ToList();
        var points = start.Select((p, i) => p.Plus(moves.select(2, i)).reshape(n * offsetGroup, taps * places)).ToList();
        var columns = PlanePoints.Linear(x.reshape(n * offsetGroup, c / offsetGroup, s[2], s[3]), points).reshape(n, offsetGroup, c / offsetGroup, taps, places);
        if (mask is not null)
            columns *= mask.reshape(n, offsetGroup, 1, taps, places);
        var y = w.reshape(1, group, k[0] / group, k[1] * taps).MatrixTimes(columns.reshape(n, group, k[1] * taps, places)).reshape(n, k[0], extents[0], extents[1]);
        return [bias is null ? y : y.Plus(bias.reshape(1, -1, 1, 1))];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(1) is { } w && outputs.FirstShape() is { } y ? y.Size() * w.Skip(1).Aggregate(Dim.Known(1), (a, b) => a * b) : Dim.Unknown();

    // Where along one axis the window's taps read before they are moved: [taps, places].
    private static Tensor Start(int axis, long[] kernel, long[] extents, long stride, long dilation, long pad, Tensor like)
    {
        var tap = TensorArithmetic.Arange(kernel[2 + axis], like.device).Times(dilation).Minus(pad);
        var place = TensorArithmetic.Arange(extents[axis], like.device).Times(stride);
        var (taps, places) = axis == 0 ? (tap.reshape(-1, 1), place.reshape(-1, 1)) : (tap.reshape(1, -1), place.reshape(1, -1));
        return taps.expand(kernel[2], kernel[3]).reshape(-1, 1).Plus(places.expand(extents[0], extents[1]).reshape(1, -1)).to(like.dtype);
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(0) is { Rank: 4 } x && context.Shape(1) is { Rank: 4 } w && outputs[0]?.Shape is { Rank: 4 } y
            ? Workload.Of(5 * Workload.Count([x[0], x[1], w[2], w[3], y[2], y[3]]))
            : default;

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("DeformConv", [19, 22], node => new DeformConv(node))];
    }
}
