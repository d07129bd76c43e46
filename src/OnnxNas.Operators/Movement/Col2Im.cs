using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// Col2Im, version 18: the columns <c>[N,C·block,L]</c> of windows that slid over an image, added up where they overlap: <c>[N,C,D1..Dn]</c>.
/// </summary>
internal sealed class Col2Im : NamedOperator
{
    private readonly WindowGeometry window;

    private Col2Im(NodeReader node) : base(node, 3, 3)
    {
        window = new(node);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x || KnownElements.VectorOf(context, 1) is not { } image)
            return UnknownShape(context.Element(0));
        if (x.Rank != 3)
            throw Error($"the input {x} must be [N,C·block,L].");
        var channels = KnownElements.Numbers(context, 2) is { } block ? Dim.FloorDiv(x[1], block.Aggregate(1L, (a, b) => a * b)) : Dim.Unknown();
        return Output(context.Element(0), [x[0], channels, .. image]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, image, block) = (WideUnsigned.Widened(inputs[0]!, wraps: true), Countable(inputs[1]!.ToInt64s()), Countable(inputs[2]!.ToInt64s()));
        var n = image.Length;
        if (n == 0 || block.Length != n || image.Any(d => d < 1) || block.Any(b => b < 1))
            throw Error($"image_shape [{string.Join(',', image)}] and block_shape [{string.Join(',', block)}] must be positive and of one length.");
        var (strides, dilations, pads) = (window.Strides(n), window.Dilations(n), window.Pads(image, block));
        if (strides.Length != n || dilations.Length != n || pads.Length != 2 * n)
            throw Error($"strides, dilations and pads (two each) must have {n} entries.");
        var counts = new long[n];
        var padded = new long[n];
        for (var i = 0; i < n; i++)
        {
            padded[i] = image[i] + pads[i] + pads[n + i];
            var room = padded[i] - (block[i] - 1) * dilations[i] - 1;
            counts[i] = room < 0 ? throw Error($"a block of {block[i]} does not fit the padded extent {padded[i]}.") : room / strides[i] + 1;
        }

        long taps = block.Aggregate(1L, (a, b) => a * b), places = counts.Aggregate(1L, (a, b) => a * b);
        if (x.dim() != 3 || x.shape[1] % taps != 0 || x.shape[2] != places)
            throw Error($"the input {x.Text()} must be [N,C·{taps},{places}] for these blocks.");
        var index = zeros([taps, places], ScalarType.Int64, x.device);
        for (var i = 0; i < n; i++)
        {
            var tap = Axis(block, i, x.device).Times(dilations[i]).unsqueeze(1);
            var place = Axis(counts, i, x.device).Times(strides[i]).unsqueeze(0);
            index = index.Times(padded[i]).Plus(tap.Plus(place));
        }

        var channels = x.shape[1] / taps;
        var sum = zeros([x.shape[0], channels, Countable(padded).Aggregate(1L, (a, b) => a * b)], x.dtype, x.device)
            .index_add(2, index.reshape(-1), x.reshape(x.shape[0], channels, taps * places), Scalars.One)
            .reshape([x.shape[0], channels, .. padded]);
        for (var i = 0; i < n; i++)
            sum = sum.narrow(2 + i, pads[i], image[i]);
        return [WideUnsigned.Narrowed(sum, inputs[0]!)];
    }

    // The number along one axis of each place of a box, row by row.
    private static Tensor Axis(long[] box, int axis, Device device)
    {
        long[] along = [.. box.Select((_, i) => i == axis ? -1L : 1)];
        return TensorArithmetic.Arange(box[axis], device).reshape(along).expand(box).reshape(-1);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Col2Im", [18], node => new Col2Im(node)) { Ranges = [new(1, 1, 8), new(2, 1, 2)], Types = TypeSets.All }];
    }
}
