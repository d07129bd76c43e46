using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>BitShift, version 11: unsigned integers moved by so many bits to the left or right; X and Y broadcast.</summary>
internal sealed class BitShift : NamedOperator
{
    private readonly bool left;

    private BitShift(NodeReader node) : base(node, 2, 2)
    {
        var direction = node.String("direction", "");
        if (direction is not ("LEFT" or "RIGHT"))
            throw node.Malformed($"direction '{direction}' is not LEFT or RIGHT.");
        left = direction == "LEFT";
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        [InferredValue.Tensor(context.Element(0), Broadcasting.Infer(context, 0, 1))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, y) = (inputs[0]!, inputs[1]!);
        if (x.dtype != y.dtype || x.dtype != ScalarType.Byte && !WideUnsigned.Is(x))
            throw Error($"shifts of {x.dtype} by {y.dtype} are none of unsigned integers of one type.");
        if (!Broadcasting.Fits(x.shape, y.shape))
            throw Error(Broadcasting.Mismatch(x, y));
        var (bits, by) = (WideUnsigned.Widened(x, wraps: left), WideUnsigned.Widened(y, wraps: false));
        return [WideUnsigned.Narrowed(left ? bits.bitwise_left_shift(by) : bits.bitwise_right_shift(by), x)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("BitShift", [11], node => new BitShift(node)) { Ranges = [new(1, 0, 4)], Types = TypeSets.Unsigned }];
    }
}
