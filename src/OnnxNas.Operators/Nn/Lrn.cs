using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// LRN, versions 1 and 13: X <c>[N,C,..]</c> to Y = X / (bias + alpha/size · sum of squares over the <c>size</c> nearest channels)^beta.
/// An even window reaches one channel further up than down.
/// </summary>
internal sealed class Lrn : NamedOperator
{
    private readonly double alpha;
    private readonly double beta;
    private readonly double bias;
    private readonly long size;

    private Lrn(NodeReader node) : base(node, 1, 1)
    {
        alpha = node.Float("alpha", 0.0001f);
        beta = node.Float("beta", 0.75f);
        bias = node.Float("bias", 1);
        size = node.Int("size");
        if (size <= 0)
            throw node.Malformed($"size is {size}; it must be positive.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { Rank: < 2 } x)
            throw context.Error($"X {x} must have the rank 2 or more.");
        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        Rules.Require(x.dim() >= 2 && x.numel() > 0, () => $"LRN: X {x.Text()} must have the rank 2 or more, and elements.");
        var squares = x.Square().reshape(x.size(0), 1, x.size(1), -1);
        var padded = Padding.Constant(squares, [(size - 1) / 2, 0, size / 2, 0], 0);
        var means = nn.functional.avg_pool2d(padded, [size, 1], [1, 1]).reshape(x.shape);
        return [x / means.Times(alpha).Plus(bias).pow(Scalars.Of(beta))];
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { Rank: >= 2 } x)
            return default;
        var window = Workload.Of(Workload.Count(x.Where((_, axis) => axis != 1)) * (Workload.Count([x[1]]) + size));
        return window with { Steps = window.Steps + Workload.Count(x) * Math.Min(size, Workload.Count([x[1]])) };
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("LRN", [1, 13], node => new Lrn(node))];
    }
}
