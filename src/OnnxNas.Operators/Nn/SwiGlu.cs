using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>SwiGLU, version 28: A·sigmoid(alpha·A)·B of tensors of one shape and type; nothing broadcasts.</summary>
internal sealed class SwiGlu(NodeReader node) : NamedOperator(node, 2, 2)
{
    private readonly Func<Tensor, Tensor> swish = Activations.Swish(node);

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } a || context.Shape(1) is not { } b)
            return [InferredValue.Tensor(context.Element(0), context.Shape(0) ?? context.Shape(1))];
        if (a.Rank != b.Rank)
            throw Error($"A {a} and B {b} differ in rank; they must have one shape.");
        return Output(context.Element(0), a.Zip(b, (x, y) => Same(x, y, $"between A {a} and B {b}")));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (a, b) = (inputs[0]!, inputs[1]!);
        if (a.dtype != b.dtype || !a.shape.AsSpan().SequenceEqual(b.shape))
            throw Error($"A {a.dtype.ToElementType()}{a.Text()} and B {b.dtype.ToElementType()}{b.Text()} must have one shape and type.");
        return [swish(a) * b];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("SwiGLU", [28], node => new SwiGlu(node))];
    }
}
