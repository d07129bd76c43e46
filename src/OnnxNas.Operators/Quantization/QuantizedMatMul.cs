using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Quantization;

/// <summary>
/// MatMulInteger, version 10: the product of 8-bit integers less their zero points, as int32. QLinearMatMul, versions 10 and 21: the same,
/// scaled and quantised. Zero points and scales of A may be one for each row, those of B one for each column.
/// </summary>
internal sealed class QuantizedMatMul : NamedOperator
{
    private readonly MatMul product;
    private readonly bool scaled;

    private QuantizedMatMul(NodeReader node, bool scaled) : base(node, scaled ? 8 : 2, scaled ? 8 : 4)
    {
        this.scaled = scaled;
        product = new(node, node.InputCount);
    }

    private int B => scaled ? 3 : 1;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var inner = new InferenceContext(context.Node, [context.Input(0), context.Input(B)], [null, null]);
        return [InferredValue.Tensor(scaled ? context.Element(7) : ElementType.Int32, product.Infer(inner)[0]?.Shape)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (a, b) = (inputs[0]!, inputs[B]!);
        var left = QuantizationRange.Centred(a, Along(inputs.At(2), a, -2, "A"));
        var right = QuantizationRange.Centred(b, Along(inputs.At(scaled ? 5 : 3), b, -1, "B"));
        var sum = product.Run([left, right], context)[0]!;
        if (!scaled)
            return [sum.to(ScalarType.Int32)];
        var factor = Along(inputs[1], a, -2, "A")!.to(ScalarType.Float64) * Along(inputs[4], b, -1, "B")!.to(ScalarType.Float64) / One(inputs[6]!).to(ScalarType.Float64);
        return [QuantizationRange.Rounded(sum * factor, One(inputs[7]!), inputs[7]!.dtype.ToElementType())];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(0) is { Rank: > 0 } a && outputs.FirstShape() is { } y ? y.Size() * a[^1] : Dim.Unknown();

    private Tensor One(Tensor parameter) => parameter.numel() == 1 ? parameter.reshape([]) : throw Error($"the parameters of Y must be one number, got {parameter.Text()}.");

    // One number, or one for each row or column.
    private Tensor? Along(Tensor? parameter, Tensor x, int axis, string name)
    {
        if (parameter is null || parameter.numel() == 1)
            return parameter?.reshape([]);
        if (parameter.dim() == 1 && x.dim() >= 2 && parameter.shape[0] == x.shape[^-axis])
            return axis == -1 ? parameter : parameter.unsqueeze(-1);
        if (parameter.dim() == x.dim() && Rules.BroadcastsTo(parameter.shape, x.shape))
            return parameter;
        throw Error($"a parameter {parameter.Text()} of {name} {x.Text()} must be one number or one for each {(axis == -1 ? "column" : "row")}.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("MatMulInteger", [10], node => new QuantizedMatMul(node, scaled: false)) { Types = TypeSets.Bytes, Gradient = Gradient.None("gives integers") },
            new("QLinearMatMul", [10, 21], node => new QuantizedMatMul(node, scaled: true)) { Types = TypeSets.Bytes, Gradient = Gradient.None("gives integers") },
        ];
    }
}
