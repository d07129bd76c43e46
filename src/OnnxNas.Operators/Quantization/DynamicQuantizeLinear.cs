using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Quantization;

/// <summary>DynamicQuantizeLinear, version 11: x to uint8 by the scale and zero point that its own range, stretched to hold 0, gives.</summary>
internal sealed class DynamicQuantizeLinear(NodeReader node) : NamedOperator(node, 1, 1)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
    [
        InferredValue.Tensor(ElementType.UInt8, context.Shape(0)),
        InferredValue.Tensor(ElementType.Float32, Shape.Scalar),
        InferredValue.Tensor(ElementType.UInt8, Shape.Scalar),
    ];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        if (x.numel() == 0 || x.dtype != ScalarType.Float32)
            throw Error($"x is {x.dtype} of {x.numel()} elements; it must be float32 and not empty.");
        var (least, greatest) = (x.min().clamp_max(Scalars.Of(0.0)), x.max().clamp_min(Scalars.Of(0.0)));
        var scale = (greatest - least).Times(1.0 / byte.MaxValue);
        // Zeros alone have no range; any scale then does.
        var safe = where(scale.eq(Scalars.Of(0.0)), ones_like(scale), scale);
        var zero = QuantizationRange.Rounded(-least / safe, null, ElementType.UInt8);
        return [QuantizationRange.Rounded(x / safe, zero, ElementType.UInt8), safe, zero];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("DynamicQuantizeLinear", [11], node => new DynamicQuantizeLinear(node)) { Types = [ElementType.Float32], Gradient = Gradient.None("gives integers") },
        ];
    }
}
