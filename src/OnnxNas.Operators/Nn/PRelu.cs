using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>PRelu, versions 6, 7, 9 and 16: X and a slope that broadcasts to it, to Y of X's shape. In version 6 a vector holds a slope for each channel.</summary>
internal sealed class PRelu(NodeReader node) : NamedOperator(node, 2, 2)
{
    private readonly bool channelVector = node.Version < 7;

    public override IReadOnlyList<int> ParameterInputs => [1];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } x && context.Shape(1) is { } slope && !(channelVector && slope.Rank == 1 && x.Rank > 1) && !Rules.MayBroadcastTo(slope, x))
            throw context.Error($"slope {slope} does not broadcast to X {x}.");
        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, slope) = (WideUnsigned.Widened(inputs[0]!, wraps: false), WideUnsigned.Widened(inputs[1]!, wraps: false));
        if (channelVector && slope.dim() == 1 && slope.numel() > 1 && x.dim() > 2)
            slope = slope.reshape([-1, .. Enumerable.Repeat(1L, (int)x.dim() - 2)]);
        var (extents, slopes) = (x.shape, slope.shape);
        Rules.Require(Rules.BroadcastsTo(slopes, extents), () => $"PRelu: slope {slope.Text()} does not broadcast to X {x.Text()}.");
        if (x.is_floating_point() && (slope.numel() == 1 || IsPerChannel(slopes, extents)))
        {
            var flat = slope.reshape(-1);
            return [nn.functional.prelu(x, flat)];
        }

        var scaled = x * slope;
        var kept = x > Scalars.Zero;
        return [WideUnsigned.Narrowed(where(kept, x, scaled), inputs[0]!)];
    }

    private static bool IsPerChannel(long[] slope, long[] x)
    {
        if (x.Length < 2 || slope.Length < x.Length - 1)
            return false;
        var channel = slope.Length - (x.Length - 1);
        for (var i = 0; i < slope.Length; i++)
        {
            if (slope[i] != (i == channel ? x[1] : 1))
                return false;
        }

        return true;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("PRelu", [6, 7, 9, 16], node => new PRelu(node)) { Types = [.. TypeSets.Floats, .. TypeSets.WideIntegers] }];
    }
}
