using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>Conv, versions 1, 11 and 22: X <c>[N,C,D1..Dn]</c>, W <c>[M,C/group,k1..kn]</c>, B <c>[M]</c> to Y <c>[N,M,..]</c>, n = 1 to 3.</summary>
internal sealed class Conv : NamedOperator
{
    private readonly WindowGeometry window;
    private readonly long group;

    public Conv(NodeReader node, int most = 3) : base(node, 2, most)
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
        if (w[1].IsKnown && x[1].IsKnown && x[1].Value != w[1].Value * group)
            throw context.Error($"X {x} has {x[1]} channels, W {w} with group {group} takes {w[1].Value * group}.");
        if (w[0].IsKnown && w[0].Value % group != 0)
            throw context.Error($"W {w} has {w[0]} filters, which group {group} does not divide.");
        if (window.Kernel is { } kernel && w.Skip(2).Select(d => d.ValueOrNull).Zip(kernel).Any(p => p.First is { } known && known != p.Second))
            throw context.Error($"kernel_shape [{string.Join(',', kernel)}] does not fit W {w}.");
        if (context.Shape(2) is { } b && (b.Rank != 1 || b[0].IsKnown && w[0].IsKnown && b[0].Value != w[0].Value))
            throw context.Error($"B {b} must be [{w[0]}].");
        var extents = window.OutputExtents(context, [.. x.Skip(2)], [.. w.Skip(2)]);
        return [InferredValue.Tensor(context.Element(0), new Shape([x[0], w[0], .. extents]))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, w, b) = (inputs[0]!, inputs[1]!, inputs.Count > 2 ? inputs[2] : null);
        var spatial = (int)x.dim() - 2;
        if (spatial is < 1 or > 3)
            throw new UnsupportedOperatorException($"Conv over {spatial} spatial axes is not supported; 1 to 3 are.");
        Rules.Require(
            w.dim() == x.dim() && x.size(1) == w.size(1) * group && w.size(0) % group == 0 && (b is null || b.dim() == 1 && b.size(0) == w.size(0)),
            () => $"Conv: W {w.Text()} with group {group} and B {b?.Text() ?? "none"} do not fit X {x.Text()}.");
        var pads = window.Pads(x.shape.AsSpan(2), w.shape.AsSpan(2));
        var (stride, dilation) = (window.Strides(spatial), window.Dilations(spatial));
        var begin = pads[..spatial];
        using var padded = begin.AsSpan().SequenceEqual(pads.AsSpan(spatial)) ? null : Padding.Constant(x, pads, 0);
        if (padded is not null)
            begin = new long[spatial];
        var input = padded ?? x;
        return spatial switch
        {
            1 => [nn.functional.conv1d(input, w, b, stride[0], begin[0], dilation[0], group)],
            2 => [nn.functional.conv2d(input, w, b, stride, begin, dilation, group)],
            _ => [nn.functional.conv3d(input, w, b, stride, begin, dilation, group)],
        };
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(1) is { } w && outputs.FirstShape() is { } y ? y.Size() * w.Skip(1).Aggregate(Dim.Known(1), (a, b) => a * b) : Dim.Unknown();

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0)?.ToLongs() is not { Length: >= 3 } x || context.Shape(1)?.ToLongs() is not { } w || outputs[0]?.Shape is not { IsKnown: true } y)
            return default;
        // The columns of one sample, where there is no kernel that does without.
        var columns = x[1] * Workload.Count(w.Skip(2).Select(Dim.Known)) * Workload.Count(y.Skip(2));
        return Workload.Of(window.Padded(x, w.AsSpan(2)) + columns);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Conv", [1, 11, 22], node => new Conv(node))];
    }
}
