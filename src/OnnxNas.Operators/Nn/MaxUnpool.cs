using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// MaxUnpool, versions 9, 11 and 22: X <c>[N,C,D1..Dn]</c> put back to the places, counted over the whole result, that MaxPool's Indices name;
/// all else is 0. The result has the extents MaxPool started from, filled with zeros up to output_shape where that is larger.
/// </summary>
internal sealed class MaxUnpool : NamedOperator
{
    private readonly WindowGeometry window;
    private readonly long[] kernel;

    private MaxUnpool(NodeReader node) : base(node, 2, 3)
    {
        window = new(node, dilated: false);
        kernel = window.Kernel ?? throw node.Malformed("attribute 'kernel_shape' is missing; the operator needs it.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Has(2))
            return KnownElements.VectorOf(context, 2) is { } given ? Output(context.Element(0), given) : UnknownShape(context.Element(0));
        if (context.Shape(0) is not { } x)
            return UnknownShape(context.Element(0));
        Require(x.Rank);
        var (strides, pads) = (window.Strides(kernel.Length), Pads);
        return Output(context.Element(0), x.Select((d, i) => i < 2 ? d : (d - 1) * strides[i - 2] + (kernel[i - 2] - pads[i - 2] - pads[kernel.Length + i - 2])));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, places) = (inputs[0]!, inputs[1]!);
        Require((int)x.dim());
        if (!places.shape.SequenceEqual(x.shape))
            throw Error($"X {x.Text()} and I {places.Text()} must have one shape.");
        var (strides, pads) = (window.Strides(kernel.Length), Pads);
        long[] natural = [.. x.shape.Select((d, i) => i < 2 ? d : (d - 1) * strides[i - 2] + kernel[i - 2] - pads[i - 2] - pads[kernel.Length + i - 2])];
        if (natural.Any(d => d < 1))
            throw Error($"the result would be [{string.Join(',', natural)}] for X {x.Text()}; every extent must be positive.");
        var shape = inputs.At(2)?.ToInt64s() ?? natural;
        if (shape.Length != x.dim() || shape.Where((d, i) => d < natural[i] || i < 2 && d != natural[i]).Any())
            throw Error($"output_shape [{string.Join(',', shape)}] must be [{string.Join(',', natural)}], or larger in its spatial extents.");
        var count = Countable(natural).Aggregate(1L, (a, b) => a * b);
        var index = Movement.Indices.Positive(places, count, Error).reshape(-1);
        var placed = zeros([count], x.dtype, x.device).scatter(0, index, x.reshape(-1)).reshape(natural);
        long[] rest = [.. new long[kernel.Length], .. shape.Skip(2).Zip(natural.Skip(2), (d, own) => d - own)];
        return [rest.All(r => r == 0) ? placed : Padding.Constant(placed, rest, 0)];
    }

    private long[] Pads => window.Pads(new long[kernel.Length], kernel);

    private void Require(int rank)
    {
        if (rank != kernel.Length + 2)
            throw Error($"X of rank {rank} does not fit a kernel_shape of {kernel.Length} entries.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("MaxUnpool", [9, 11, 22], node => new MaxUnpool(node))];
    }
}
