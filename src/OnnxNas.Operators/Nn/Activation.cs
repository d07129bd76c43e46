using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>An operator that maps each element of its one input: X and Y have one shape and type.</summary>
internal sealed class Activation(NodeReader node, Func<Tensor, Tensor> kernel) : NamedOperator(node, 1, 1)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.SameAsFirst()];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => [kernel(inputs[0]!)];
}
