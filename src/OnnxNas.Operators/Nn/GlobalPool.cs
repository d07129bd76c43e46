using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>GlobalAveragePool and GlobalMaxPool, versions 1 and 22: X <c>[N,C,D1..Dn]</c> to Y <c>[N,C,1..1]</c>.</summary>
internal sealed class GlobalPool(NodeReader node, Func<Tensor, long[], Tensor> reduce) : NamedOperator(node, 1, 1)
{
    /// <summary>The output type of a global pool.</summary>
    public static InferredValue Output(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return InferredValue.Tensor(context.Element(0), null);
        if (x.Rank < 3)
            throw context.Error($"X {x} must have the rank 3 or more.");
        return InferredValue.Tensor(context.Element(0), new Shape([x[0], x[1], .. x.Skip(2).Select(_ => Dim.Known(1))]));
    }

    /// <summary>The spatial axes of a tensor.</summary>
    public static long[] Axes(Tensor x)
    {
        Rules.Require(x.dim() >= 3, () => $"A global pool takes the rank 3 or more, got {x.Text()}.");
        return [.. Enumerable.Range(2, (int)x.dim() - 2).Select(i => (long)i)];
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [Output(context)];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => [reduce(inputs[0]!, Axes(inputs[0]!))];

    // One element gets the gradient, as in the windowed pool; amax would share it out among equal ones.
    private static Tensor Max(Tensor x, long[] axes)
    {
        Rules.Require(x.numel() > 0, () => $"GlobalMaxPool: X {x.Text()} is empty.");
        var planes = x.flatten(2);
        return planes.max(2, keepdim: true).values.reshape([x.size(0), x.size(1), .. axes.Select(_ => 1L)]);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("GlobalAveragePool", [1, 22], node => new GlobalPool(node, (x, axes) => x.mean(axes, keepdim: true))),
            new("GlobalMaxPool", [1, 22], node => new GlobalPool(node, Max)),
        ];
    }
}
