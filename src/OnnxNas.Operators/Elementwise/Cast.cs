using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>
/// Cast from version 6 on, and CastLike: to another element type; floats truncate towards zero when they become integers.
/// 8-bit floats, types below 8 bits and strings are refused by name.
/// </summary>
internal sealed class Cast : NamedOperator
{
    private readonly ElementType? to; // null: that of the second input

    private Cast(NodeReader node, bool like) : base(node, like ? 2 : 1, like ? 2 : 1)
    {
        if (node.Version >= 19)
            node.Ignore("saturate"); // Of 8-bit floats only.
        if (node.Version >= 24)
            node.Ignore("round_mode"); // Likewise.
        if (like)
            return;
        to = (ElementType)node.Int("to");
        try
        {
            _ = to.Value.ToTorch();
        }
        catch (UnsupportedOperatorException)
        {
            throw node.Unsupported($"a cast to {to} is not supported; the types that are: float16, bfloat16, float32, float64, int8 to int64, uint8 and bool.");
        }
    }

    public override bool PassesGradient(int input) => input == 0 && to?.IsFloatingPoint() != false;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var target = to ?? context.Element(1);
        var elements = target is ElementType.Int32 or ElementType.Int64 ? KnownElements.Fitting(target, KnownElements.Of(context, 0)) : null;
        return [new InferredValue(new TensorType(target, context.Shape(0)), elements)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var type = to?.ToTorch() ?? inputs[1]!.dtype;
        return [inputs[0]!.dtype == type ? inputs[0] : inputs[0]!.to(type)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Cast", [6, 9, 13, 19, 21, 23, 24, 25], node => new Cast(node, like: false)) { Types = TypeSets.All },
            new("CastLike", [15, 19, 21, 23, 24, 25], node => new Cast(node, like: true)) { Types = TypeSets.All },
        ];
    }
}
