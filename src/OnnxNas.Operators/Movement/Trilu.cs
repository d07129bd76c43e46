using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Trilu, version 14: the upper or lower triangle of matrices <c>[...,R,C]</c>, from diagonal k on; zero elsewhere.</summary>
internal sealed class Trilu : NamedOperator
{
    private readonly bool upper;

    private Trilu(NodeReader node) : base(node, 1, 2)
    {
        upper = node.Flag("upper", true);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => context.Shape(0) is { Rank: < 2 } x
        ? throw Error($"the input {x} must have at least two axes.")
        : [InferredValue.Tensor(context.Element(0), context.Shape(0))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var shape = x.shape;
        if (shape.Length < 2)
            throw Error($"the input [{string.Join(',', shape)}] must have at least two axes.");
        long diagonal = 0;
        if (inputs.Count > 1 && inputs[1] is { } k)
            diagonal = k.numel() == 1 ? Math.Clamp(k.ToInt64s()[0], -shape[^2] - 1, shape[^1] + 1) : throw Error($"k must be one number, got {k.numel()}.");
        var wide = WideUnsigned.Widened(x, wraps: true);
        return [WideUnsigned.Narrowed(upper ? wide.triu(diagonal) : wide.tril(diagonal), x)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Trilu", [14], node => new Trilu(node)) { Types = TypeSets.All }];
    }
}
