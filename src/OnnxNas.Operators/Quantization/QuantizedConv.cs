using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Quantization;

/// <summary>
/// ConvInteger, version 10: the convolution of 8-bit integers less their zero points, as int32. QLinearConv, version 10: the same plus an
/// int32 bias, scaled and quantised. Parameters of the weights may be one for each output channel.
/// </summary>
internal sealed class QuantizedConv : NamedOperator
{
    private readonly Conv conv;
    private readonly bool scaled;

    private QuantizedConv(NodeReader node, bool scaled) : base(node, scaled ? 8 : 2, scaled ? 9 : 4)
    {
        this.scaled = scaled;
        conv = new(node, node.InputCount);
    }

    private int W => scaled ? 3 : 1;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var inner = new InferenceContext(context.Node, [context.Input(0), context.Input(W)], [null, null]);
        return [InferredValue.Tensor(scaled ? context.Element(7) : ElementType.Int32, conv.Infer(inner)[0]?.Shape)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, w) = (inputs[0]!, inputs[W]!);
        var input = QuantizationRange.Centred(x, One(inputs.At(2)));
        var weights = QuantizationRange.Centred(w, PerChannel(inputs.At(scaled ? 5 : 3), w, 0));
        var bias = scaled ? inputs.At(8)?.to(ScalarType.Float64) : null;
        var sum = conv.Run([input, weights, bias], context)[0]!;
        if (!scaled)
            return [sum.to(ScalarType.Int32)];
        var factor = One(inputs[1])!.to(ScalarType.Float64) * PerChannel(inputs[4], w, 1)!.to(ScalarType.Float64) / One(inputs[6])!.to(ScalarType.Float64);
        return [QuantizationRange.Rounded(sum * factor, One(inputs[7]), inputs[7]!.dtype.ToElementType())];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(W) is { } w && outputs.FirstShape() is { } y ? y.Size() * w.Skip(1).Aggregate(Dim.Known(1), (a, b) => a * b) : Dim.Unknown();

    private Tensor? One(Tensor? parameter) =>
        parameter is null || parameter.numel() == 1 ? parameter?.reshape([]) : throw Error($"the parameters of x and y must be one number, got {parameter.Text()}.");

    private Tensor? PerChannel(Tensor? parameter, Tensor w, int axis)
    {
        if (parameter is null || parameter.numel() == 1)
            return parameter?.reshape([]);
        if (parameter.dim() != 1 || w.dim() == 0 || parameter.shape[0] != w.shape[0])
            throw Error($"a parameter {parameter.Text()} of w {w.Text()} must be one number or one for each output channel.");
        long[] along = [.. Enumerable.Range(0, (int)w.dim()).Select(i => i == axis ? -1L : 1)];
        return parameter.reshape(along);
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        conv.Meanwhile(new(context.Node, [context.Input(0), context.Input(W)], [null, null]), outputs);

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("ConvInteger", [10], node => new QuantizedConv(node, scaled: false)) { Types = TypeSets.Bytes, Gradient = Gradient.None("gives integers") },
            new("QLinearConv", [10], node => new QuantizedConv(node, scaled: true)) { Types = TypeSets.Bytes, Gradient = Gradient.None("gives integers") },
        ];
    }
}
