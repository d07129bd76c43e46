using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>IsInf, versions 10 and 20: where X is infinite, of the signs that are asked for.</summary>
internal sealed class IsInf : NamedOperator
{
    private readonly bool negative;
    private readonly bool positive;

    private IsInf(NodeReader node) : base(node, 1, 1)
    {
        negative = node.Flag("detect_negative", true);
        positive = node.Flag("detect_positive", true);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [InferredValue.Tensor(ElementType.Bool, context.Shape(0))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        return (negative, positive) switch
        {
            (true, true) => [x.isinf()],
            (true, false) => [x.isneginf()],
            (false, true) => [x.isposinf()],
            _ => [zeros_like(x, ScalarType.Bool)],
        };
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("IsInf", [10, 20], node => new IsInf(node)) { Gradient = Gradient.None("gives truth values") }];
    }
}
