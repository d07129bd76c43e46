using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Quantization;

/// <summary>
/// QuantizeLinear and DequantizeLinear, all versions from 10 on: x / scale rounded, plus the zero point, saturated; and (x − zero point)·scale.
/// The scale is one number, one for each place along <c>axis</c>, or one for each block of <c>block_size</c> places along it. 8-bit floats and
/// types below 8 bits are refused by name.
/// </summary>
/// <remarks>
/// Training looks straight through a pair of the two: where integers go nowhere but into DequantizeLinear, and a gradient is asked for, they are carried
/// as floating-point numbers that have the gradient of x / scale within the range of the integers and none outside (Jacob et al. 2018, section 3).
/// </remarks>
internal sealed class QuantizeLinear : NamedOperator
{
    private readonly bool back;
    private readonly long axis;
    private readonly long block;
    private readonly ElementType given; // Undefined: from the zero point, or the scale.
    private readonly bool paired;

    private QuantizeLinear(NodeReader node, bool back) : base(node, 2, 3)
    {
        this.back = back;
        paired = !back && IsOnlyDequantized(node.Node);
        axis = node.Version >= 13 ? node.Int("axis", 1) : 1;
        block = node.Version >= 21 ? node.Int("block_size", 0) : 0;
        var typed = back ? node.Version >= 23 : node.Version >= 21;
        given = typed ? (ElementType)node.Int("output_dtype", 0) : ElementType.Undefined;
        if (!back && node.Version >= 19)
            node.Ignore("saturate"); // Of 8-bit floats only.
        if (!back && node.Version >= 23)
            node.Ignore("precision"); // It is float32 at least here.
        if (block < 0)
            throw node.Malformed($"block_size is {block}; it must not be negative.");
        if (given == ElementType.Undefined)
            return;
        if (back && !given.IsFloatingPoint())
            throw node.Malformed($"output_dtype is {given}, which is no floating-point type.");
        if (!back)
            _ = QuantizationRange.Of(given);
    }

    // Weights that the graph itself quantises.
    public override IReadOnlyList<int> ParameterInputs => paired ? [0] : [];

    public override bool PassesGradient(int input) => input == 0 && (back || paired);

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var type = given != ElementType.Undefined ? given : back ? context.Element(1) : context.Has(2) ? context.Element(2) : ElementType.UInt8;
        if (!back && type != ElementType.Undefined)
            _ = QuantizationRange.Of(type);
        return [InferredValue.Tensor(type, context.Shape(0))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, zero) = (inputs[0]!, inputs.At(2));
        if (zero is not null && !zero.shape.SequenceEqual(inputs[1]!.shape))
            throw Error($"scale {inputs[1]!.Text()} and zero point {zero.Text()} must have one shape.");
        var scale = Spread(inputs[1]!, x);
        zero = zero is null ? null : Spread(zero, x);
        if (back)
        {
            var whole = x.is_floating_point() ? x.dtype : ScalarType.Int64;
            var centred = zero is null ? x.to(whole) : x.to(whole) - zero.to(whole);
            var working = scale.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
            return [(centred.to(working) * scale.to(working)).to(given == ElementType.Undefined ? scale.dtype : given.ToTorch())];
        }

        var type = given != ElementType.Undefined ? given : zero?.dtype.ToElementType() ?? ElementType.UInt8;
        var exact = x.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var scaled = x.to(exact) / scale.to(exact);
        return [paired && scaled.requires_grad ? QuantizationRange.StraightThrough(scaled, zero, type) : QuantizationRange.Rounded(scaled, zero, type)];
    }

    private static bool IsOnlyDequantized(Node node) =>
        node.Outputs is [{ IsOutput: false } output, ..]
        && output.Uses.All(u => u is { Index: 0, Node: { OpType: "DequantizeLinear", Domain: "" } })
        && !node.Graph.Nodes.SelectMany(n => n.Subgraphs).SelectMany(g => g.Captured()).Contains(output);

    // The scale or zero point as it broadcasts to x.
    private Tensor Spread(Tensor parameter, Tensor x)
    {
        if (parameter.numel() == 1 && block == 0)
            return parameter.reshape([]);
        var at = Axis(axis, (int)x.dim());
        var extents = x.shape;
        if (block == 0)
        {
            long[] along = [.. extents.Select((_, i) => i == at ? -1L : 1)];
            return parameter.dim() == 1 && parameter.shape[0] == extents[at] ? parameter.reshape(along) : throw Error($"scale {parameter.Text()} must be one number, or [{extents[at]}] along axis {at} of x {x.Text()}.");
        }

        long[] blocks = [.. extents.Select((d, i) => i == at ? (d + block - 1) / block : d)];
        if (!parameter.shape.SequenceEqual(blocks))
            throw Error($"scale {parameter.Text()} must be [{string.Join(',', blocks)}] for x {x.Text()} in blocks of {block}.");
        var places = TensorArithmetic.Arange(extents[at], x.device).div(Scalars.Of(block), RoundingMode.floor);
        return parameter.index_select(at, places);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("QuantizeLinear", [10, 13, 19, 21, 23, 24, 25], node => new QuantizeLinear(node, back: false)) { Ranges = [new(1, 1, 2, true)], Types = [.. TypeSets.Floats, ElementType.Int32], Gradient = Gradient.StraightThrough("before DequantizeLinear, that of x / scale within the range of the integers and 0 outside") },
            new("DequantizeLinear", [10, 13, 19, 21, 23, 24, 25], node => new QuantizeLinear(node, back: true)) { Ranges = [new(1, 1, 2, true)], Types = [.. TypeSets.Bytes, ElementType.Int16, ElementType.UInt16, ElementType.Int32], Gradient = Gradient.Derivative },
        ];
    }
}
