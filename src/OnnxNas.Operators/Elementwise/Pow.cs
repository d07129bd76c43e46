using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Pow, all versions: X to the power of Y, which broadcast; the result has the element type of X.</summary>
internal sealed class Pow(NodeReader node) : NamedOperator(node, 2, 2)
{
    private readonly LimitedBroadcast? limited = LimitedBroadcast.Read(node);

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        [InferredValue.Tensor(context.Element(0), limited is null ? Broadcasting.Infer(context, 0, 1) : limited.Infer(context))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var like = inputs[0]!;
        var (x, y) = (WideUnsigned.Widened(like, wraps: false), WideUnsigned.Widened(inputs[1]!, wraps: false));
        if (limited is not null)
            y = limited.Place(x, y, Error);
        else if (!Broadcasting.Fits(x.shape, y.shape))
            throw Error(Broadcasting.Mismatch(x, y));
        if (IsTwo(x, y))
            return [WideUnsigned.Narrowed(x * x, like)];
        // Integers to negative powers go by way of fractions.
        if (!x.is_floating_point() && !y.is_floating_point() && y.numel() > 0 && y.min().to(ScalarType.Int64).item<long>() < 0)
            return [x.to(ScalarType.Float64).pow(y).to(like.dtype)];
        return [x.pow(y).to(like.dtype)];
    }

    // Squares, which layer normalisation is full of, are many times faster as a product.
    private static bool IsTwo(Tensor x, Tensor y) =>
        y.numel() == 1 && y.dim() <= x.dim() && !y.requires_grad && y.device.type == DeviceType.CPU && y.to(ScalarType.Float64).item<double>() == 2;

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Pow", [1, 7, 12, 13, 15], node => new Pow(node)) { Types = [.. TypeSets.Floats, ElementType.Int32, ElementType.Int64] }];
    }
}
