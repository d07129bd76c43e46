using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>ConvTranspose, versions 1, 11 and 22: X <c>[N,C,D1..Dn]</c>, W <c>[C,M/group,k1..kn]</c>, B <c>[M]</c> to Y <c>[N,M,..]</c>, n = 1 to 3.</summary>
internal sealed class ConvTranspose : NamedOperator
{
    private readonly TransposedWindow window;
    private readonly long group;

    private ConvTranspose(NodeReader node) : base(node, 2, 3)
    {
        window = new(node);
        group = node.Int("group", 1);
        if (group <= 0)
            throw node.Malformed($"group is {group}; it must be positive.");
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x || context.Shape(1) is not { } w)
            return [InferredValue.Tensor(context.Element(0), null)];
        if (x.Rank < 3 || w.Rank != x.Rank)
            throw context.Error($"X {x} and W {w} must have the same rank, at least 3.");
        if (!Rules.MayEqual(x[1], w[0]) || w[0].ValueOrNull % group > 0)
            throw context.Error($"X {x} has {x[1]} channels, W {w} with group {group} takes {w[0]}, which the group must divide.");
        if (context.Shape(2) is { } b && (b.Rank != 1 || !Rules.MayEqual(b[0], w[1] * group)))
            throw context.Error($"B {b} must be [{w[1] * group}].");
        var extents = window.OutputExtents(context, [.. x.Skip(2)], [.. w.Skip(2)]);
        return [InferredValue.Tensor(context.Element(0), new Shape([x[0], w[1] * group, .. extents]))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, w, b) = (inputs[0]!, inputs[1]!, inputs.At(2));
        var spatial = (int)x.dim() - 2;
        if (spatial is < 1 or > 3)
            throw new UnsupportedOperatorException($"ConvTranspose over {spatial} spatial axes is not supported; 1 to 3 are.");
        Rules.Require(w.dim() == x.dim() && w.size(0) == x.size(1) && w.size(0) % group == 0, () => $"ConvTranspose: W {w.Text()} with group {group} does not fit X {x.Text()}.");
        Rules.Require(b is null || b.dim() == 1 && b.size(0) == w.size(1) * group, () => $"ConvTranspose: B {b!.Text()} must be [{w.size(1) * group}].");
        var place = window.Place(x.shape.AsSpan(2), w.shape.AsSpan(2));
        if (place.IsNative)
            return [Convolve(x, w, b, place, place.Begins, place.OutputPadding)];
        // The whole result, of which the pads cut off each side, or to which they add where they are negative.
        var none = new long[spatial];
        var whole = Convolve(x, w, null, place, none, none);
        var cut = new long[2 * spatial];
        for (var i = 0; i < spatial; i++)
            (cut[i], cut[spatial + i]) = (-place.Begins[i], place.Outputs[i] + place.Begins[i] - whole.size(2 + i));
        var y = Padding.Constant(whole, cut, 0);
        return [b is null ? y : y.Plus(b.reshape([-1, .. Enumerable.Repeat(1L, spatial)]))];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(0) is { } x && context.Shape(1) is { } w ? x.Size() * w.Skip(1).Aggregate(Dim.Known(1), (a, b) => a * b) : Dim.Unknown();

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { IsKnown: true, Rank: >= 3 } x || context.Shape(1) is not { IsKnown: true } w || w.Rank != x.Rank)
            return default;
        // The columns of one sample, and the whole result before pads cut it.
        var columns = Workload.Count(w.Skip(1)) * group * Workload.Count(x.Skip(2));
        var whole = Enumerable.Range(0, x.Rank - 2).Select(i => window.Whole(x[2 + i], w[2 + i], i));
        return Workload.Of(columns + group * Workload.Count([x[0], w[1], .. whole]));
    }

    private Tensor Convolve(Tensor x, Tensor w, Tensor? b, TransposedWindow.Placement place, long[] pads, long[] outputPadding) => pads.Length switch
    {
        1 => nn.functional.conv_transpose1d(x, w, b, place.Strides[0], pads[0], outputPadding[0], place.Dilations[0], group),
        2 => nn.functional.conv_transpose2d(x, w, b, place.Strides, pads, outputPadding, place.Dilations, group),
        _ => nn.functional.conv_transpose3d(x, w, b, place.Strides, pads, outputPadding, place.Dilations, group),
    };

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("ConvTranspose", [1, 11, 22], node => new ConvTranspose(node))];
    }
}
