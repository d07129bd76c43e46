using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>BitCast, version 26: the same bits read as another element type of the same width. No gradient passes.</summary>
internal sealed class BitCast : NamedOperator
{
    private readonly ElementType to;

    private BitCast(NodeReader node) : base(node, 1, 1)
    {
        to = (ElementType)node.Int("to");
        try
        {
            _ = to.ToTorch();
        }
        catch (UnsupportedOperatorException)
        {
            throw node.Unsupported($"a cast to {to} is not supported.");
        }
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        Require(context.Element(0));
        return [InferredValue.Tensor(to, context.Shape(0))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var data = inputs[0]!.ToTensorData();
        Require(data.Type);
        return [TensorData.FromBytes(to, data.Dims, data.Bytes).ToTorch(inputs[0]!.device)];
    }

    private void Require(ElementType from)
    {
        if (from != ElementType.Undefined && (from.BitWidth() != to.BitWidth() || from == ElementType.Bool != (to == ElementType.Bool)))
            throw Error($"{from} cannot be read as {to}: the widths must be equal.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("BitCast", [26], node => new BitCast(node)) { Types = TypeSets.Numbers, Gradient = Gradient.None("moves bits") }];
    }
}
