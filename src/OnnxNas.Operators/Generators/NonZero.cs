using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>NonZero, versions 9 and 13: the places of non-zero elements, <c>[rank, count]</c>, in row-major order.</summary>
internal sealed class NonZero(NodeReader node) : NamedOperator(node, 1, 1)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        Output(ElementType.Int64, [context.Shape(0) is { } x ? x.Rank : Dim.Unknown(), Dim.Unknown()]);

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => [WideUnsigned.Widened(inputs[0]!, wraps: true).nonzero().t()];

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("NonZero", [9, 13], node => new NonZero(node)) { Types = TypeSets.All, Gradient = Gradient.None("gives indices") }];
    }
}
