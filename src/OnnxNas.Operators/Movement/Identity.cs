using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Identity, all versions, for tensors.</summary>
internal sealed class Identity(NodeReader node) : NamedOperator(node, 1, 1)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.Input(0)];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => [inputs[0]];

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Identity", [1, 13, 14, 16, 19, 21, 23, 24, 25], node => new Identity(node)) { Types = TypeSets.All }];
    }
}
