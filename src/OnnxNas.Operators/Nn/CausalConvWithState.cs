using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// CausalConvWithState, version 27: X <c>[B,C,L]</c> after the past <c>[B,C,k-1]</c> (zeros where it is omitted), each channel convolved with its
/// own filter of W <c>[C,1,k]</c> plus B <c>[C]</c>, to Y <c>[B,C,L]</c> that sees no later position; and the last k-1 positions of both, the next
/// past.
/// </summary>
internal sealed class CausalConvWithState : NamedOperator
{
    private readonly bool gated;

    private CausalConvWithState(NodeReader node) : base(node, 2, 4)
    {
        gated = node.String("activation", "none") switch
        {
            "none" => false,
            "silu" or "swish" => true,
            var other => throw node.Unsupported($"activation '{other}' is not one of none, silu, swish."),
        };
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var (x, w, past) = (context.Shape(0), context.Shape(1), context.Shape(3));
        if (x is { Rank: not 3 } || w is { Rank: not 3 } || past is { Rank: not 3 })
            throw Error($"X {x}, W {w} and the past {past} must have three axes each.");
        if (x is null)
            return [InferredValue.Tensor(context.Element(0), null), InferredValue.Tensor(context.Element(0), null)];
        var channels = w is null ? x[1] : Same(x[1], w[0], "between the channels of X and the filters");
        var kept = w is not null ? w[2] - 1 : past is not null ? past[2] : Dim.Unknown();
        return
        [
            InferredValue.Tensor(context.Element(0), new Shape(x[0], channels, x[2])),
            InferredValue.Tensor(context.Element(0), new Shape(x[0], channels, kept)),
        ];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, w, b) = (inputs[0]!, inputs[1]!, inputs.At(2));
        var shape = x.shape;
        if (shape.Length != 3 || shape[1] == 0 || w.dim() != 3 || w.size(0) != shape[1] || w.size(1) != 1 || w.size(2) == 0)
            throw Error($"W {w.Text()} must be [C,1,k] for X {x.Text()} [B,C,L], with channels and k positive.");
        if (b is not null && (b.dim() != 1 || b.size(0) != shape[1]))
            throw Error($"B {b.Text()} must be [{shape[1]}].");
        long[] before = [shape[0], shape[1], w.size(2) - 1];
        var past = inputs.At(3) ?? zeros(before, x.dtype, x.device);
        if (!past.shape.AsSpan().SequenceEqual(before))
            throw Error($"the past {past.Text()} must be [{string.Join(',', before)}].");
        if (w.dtype != x.dtype || past.dtype != x.dtype || b is not null && b.dtype != x.dtype)
            throw Error("X, W, B and the past differ in their element types; cast them to one.");
        var all = cat([past, x], 2);
        // A kernel longer than what it slides over is an error in libtorch.
        var y = shape[2] == 0 ? x : nn.functional.conv1d(all, w, b, groups: shape[1]);
        return [gated ? nn.functional.silu(y) : y, all.narrow(2, shape[2], before[2])];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(1) is { } w && outputs.FirstShape() is { } y ? y.Size() * w[2] : Dim.Unknown();

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("CausalConvWithState", [27], node => new CausalConvWithState(node))];
    }
}
