using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Reductions;

/// <summary>CumSum, versions 11 and 14, and CumProd, version 26: running sums or products along an axis, from either end, with or without the element itself.</summary>
internal sealed class Cumulative : NamedOperator
{
    private readonly bool product;
    private readonly bool exclusive;
    private readonly bool reverse;

    private Cumulative(NodeReader node, bool product) : base(node, 2, 2)
    {
        this.product = product;
        exclusive = node.Flag("exclusive", false);
        reverse = node.Flag("reverse", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [InferredValue.Tensor(context.Element(0), context.Shape(0))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (inputs[1]!.numel() != 1)
            throw Error($"the axis must be one number, got {inputs[1]!.numel()}.");
        var x = WideUnsigned.Widened(inputs[0]!, wraps: true);
        var at = Axis(inputs[1]!.ToInt64s()[0], (int)x.dim());
        if (reverse)
            x = x.flip([at]);
        if (exclusive && x.shape[at] > 0)
        {
            var before = x.narrow(at, 0, 1);
            x = cat([product ? ones_like(before) : zeros_like(before), x.narrow(at, 0, x.shape[at] - 1)], at);
        }

        var result = product ? x.cumprod(at, x.dtype) : x.cumsum(at, x.dtype);
        return [WideUnsigned.Narrowed(reverse ? result.flip([at]) : result, inputs[0]!)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("CumSum", [11, 14], node => new Cumulative(node, product: false)) { Ranges = [new(1, 0, 0)], Types = [.. TypeSets.Floats, .. TypeSets.WideIntegers] },
            new("CumProd", [26], node => new Cumulative(node, product: true)) { Ranges = [new(1, 0, 0)], Types = [.. TypeSets.Floats, .. TypeSets.WideIntegers] },
        ];
    }
}
