using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// LpNormalization, versions 1 and 22: X divided by its 1- or 2-norm along an axis. Where the norm is 0, Y is 0.
/// MeanVarianceNormalization, versions 9 and 13: X minus its mean, divided by its standard deviation over the axes, plus 1e-9.
/// </summary>
internal sealed class LpNormalization : NamedOperator
{
    private readonly long axis;
    private readonly long p;

    private LpNormalization(NodeReader node) : base(node, 1, 1)
    {
        axis = node.Int("axis", -1);
        p = node.Int("p", 2);
        if (p is not (1 or 2))
            throw node.Malformed($"p is {p}; it must be 1 or 2.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } x)
            Rules.Axis(axis, x.Rank, "LpNormalization");
        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        long[] axes = [Rules.Axis(axis, x.dim(), "LpNormalization")];
        var norm = p == 1 ? x.abs().sum(axes, keepdim: true) : SafeRoot(x.Square().sum(axes, keepdim: true));
        var divisor = where(norm.eq(Scalars.Zero), ones_like(norm), norm);
        return [x / divisor];
    }

    // A root whose gradient at 0 is 0, not infinite.
    private static Tensor SafeRoot(Tensor square)
    {
        var positive = square > Scalars.Zero;
        return where(positive, where(positive, square, ones_like(square)).sqrt(), zeros_like(square));
    }

    private sealed class MeanVariance(NodeReader node) : NamedOperator(node, 1, 1)
    {
        private readonly long[] axes = node.Ints("axes") ?? [0, 2, 3];

        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
        {
            if (context.Shape(0) is { } x)
                Resolve(x.Rank);
            return [context.SameAsFirst()];
        }

        public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
        {
            var x = inputs[0]!;
            var resolved = Resolve(x.dim());
            // Libtorch takes no axes for all axes; ONNX means each element then.
            if (resolved.Length == 0)
                return [zeros_like(x)];
            var centred = x - x.mean(resolved, keepdim: true);
            return [centred / SafeRoot(centred.Square().mean(resolved, keepdim: true)).Plus(1e-9)];
        }

        private long[] Resolve(long rank) => [.. axes.Select(a => (long)Rules.Axis(a, rank, "MeanVarianceNormalization")).Distinct()];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("LpNormalization", [1, 22], node => new LpNormalization(node)),
            new("MeanVarianceNormalization", [9, 13], node => new MeanVariance(node)),
        ];
    }
}
