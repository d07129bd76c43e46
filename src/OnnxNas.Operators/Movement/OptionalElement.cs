using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// OptionalHasElement and OptionalGetElement, versions 15 and 18, of plain tensors: whether the input is given, as a truth value <c>[]</c>, and the
/// input itself. Values of optional or sequence type are refused.
/// </summary>
internal sealed class OptionalElement : NamedOperator
{
    private readonly bool asks;

    private OptionalElement(NodeReader node, bool asks) : base(node, asks && node.Version >= 18 ? 0 : 1, 1)
    {
        this.asks = asks;
        if (node.Node.Input(0)?.Type is { } type and (OptionalType or SequenceType))
            throw node.Unsupported($"its input is of {(type is OptionalType ? "optional" : "sequence")} type; only tensors are executed. Declare a tensor.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        [asks ? InferredValue.Tensor(ElementType.Bool, new Shape()) : context.Input(0)];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (!asks)
            return [inputs[0]];
        return [inputs.At(0) is { } given ? ones([], ScalarType.Bool, given.device) : zeros([], ScalarType.Bool)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("OptionalHasElement", [15, 18], node => new OptionalElement(node, asks: true)) { Types = TypeSets.All, Gradient = Gradient.None("gives a truth value") },
            new("OptionalGetElement", [15, 18], node => new OptionalElement(node, asks: false)) { Types = TypeSets.All },
        ];
    }
}
