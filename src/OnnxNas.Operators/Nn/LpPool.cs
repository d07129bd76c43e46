using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// LpPool, versions 2, 11, 18 and 22: X <c>[N,C,D1..Dn]</c> to the p-norm of each window <c>[N,C,..]</c>, n = 1 to 3.
/// GlobalLpPool, versions 2 and 22: to the p-norm of each plane <c>[N,C,1..1]</c>.
/// </summary>
internal sealed class LpPool : NamedOperator
{
    private readonly PoolWindow window;
    private readonly long p;

    private LpPool(NodeReader node) : base(node, 1, 1)
    {
        window = new(node, ceil: node.Version >= 18, dilated: node.Version >= 18);
        p = Exponent(node);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        [InferredValue.Tensor(context.Element(0), window.OutputShape(context))];

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) => window.Work(context);

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        return [Root(window.Place(x).Sum(Power(x, p)), p)];
    }

    private static long Exponent(NodeReader node) => node.Int("p", 2) is var p and > 0 ? p : throw node.Malformed($"p is {node.Int("p", 2)}; it must be positive.");

    private static Tensor Power(Tensor x, long p) => p switch
    {
        1 => x.abs(),
        2 => x.Square(),
        _ => x.abs().pow(Scalars.Of(p)),
    };

    // The root's slope is infinite at 0: there the gradient is 0, as it is for the norm of a vector of zeros.
    private static Tensor Root(Tensor sum, long p)
    {
        if (p == 1)
            return sum;
        var positive = sum > Scalars.Zero;
        var safe = where(positive, sum, ones_like(sum));
        return where(positive, p == 2 ? safe.sqrt() : safe.pow(Scalars.Of(1.0 / p)), zeros_like(sum));
    }

    private sealed class Global(NodeReader node) : NamedOperator(node, 1, 1)
    {
        private readonly long p = Exponent(node);

        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [GlobalPool.Output(context)];

        public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
        {
            var x = inputs[0]!;
            return [Root(Power(x, p).sum(GlobalPool.Axes(x), keepdim: true), p)];
        }
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("LpPool", [2, 11, 18, 22], node => new LpPool(node)),
            new("GlobalLpPool", [2, 22], node => new Global(node)),
        ];
    }
}
