using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// MaxPool, versions 1, 8, 10, 11, 12 and 22: X <c>[N,C,D1..Dn]</c> to Y <c>[N,C,..]</c> and the Indices of the maxima in X as a whole,
/// counted row by row or, with <c>storage_order</c> 1, with the first spatial axis running fastest; n = 1 to 3.
/// </summary>
internal sealed class MaxPool : NamedOperator
{
    private readonly PoolWindow window;
    private readonly bool columnMajor;

    private MaxPool(NodeReader node) : base(node, 1, 1)
    {
        window = new(node, ceil: node.Version >= 10, dilated: node.Version >= 10);
        columnMajor = node.Version >= 8 && node.Flag("storage_order", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var shape = window.OutputShape(context);
        return [InferredValue.Tensor(context.Element(0), shape), InferredValue.Tensor(ElementType.Int64, shape)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var place = window.Place(x);
        if (x.is_floating_point() && place.IsNative && context.OutputCount < 2)
            return [Pool(x, place, place.Begins, place.CeilMode)];

        // The 8-bit integers it is defined for are exact in float32.
        var wide = x.is_floating_point() ? x : x.to(ScalarType.Float32);
        var (input, pads, ceil) = place.IsNative
            ? (wide, place.Begins, place.CeilMode)
            : (place.Pad(wide, double.NegativeInfinity), new long[place.Begins.Length], false);
        if (context.OutputCount < 2)
            return [Pool(input, place, pads, ceil).to(x.dtype)];
        var (y, local) = PoolWithIndices(input, place, pads, ceil);
        var indices = Number(local, x.shape, input.shape.AsSpan(2), place.IsNative ? pads : place.Begins, place.IsNative);
        return [y.to(x.dtype), indices];
    }

    private static Tensor Pool(Tensor x, PoolWindow.Placement place, long[] pads, bool ceil) => pads.Length switch
    {
        1 => nn.functional.max_pool1d(x, place.Kernel[0], place.Strides[0], pads[0], place.Dilations[0], ceil),
        2 => nn.functional.max_pool2d(x, place.Kernel, place.Strides, pads, place.Dilations, ceil),
        _ => nn.functional.max_pool3d(x, place.Kernel, place.Strides, pads, place.Dilations, ceil),
    };

    private static (Tensor Y, Tensor Indices) PoolWithIndices(Tensor x, PoolWindow.Placement place, long[] pads, bool ceil) => pads.Length switch
    {
        1 => nn.functional.max_pool1d_with_indices(x, place.Kernel[0], place.Strides[0], pads[0], place.Dilations[0], ceil),
        2 => nn.functional.max_pool2d_with_indices(x, place.Kernel, place.Strides, pads, place.Dilations, ceil),
        _ => nn.functional.max_pool3d_with_indices(x, place.Kernel, place.Strides, pads, place.Dilations, ceil),
    };

    // Libtorch counts within each plane of what it was given; ONNX counts over all of X.
    private Tensor Number(Tensor local, long[] x, ReadOnlySpan<long> given, long[] begins, bool native)
    {
        var spatial = given.Length;
        var position = zeros_like(local);
        var rest = local;
        long rowStep = 1;
        for (var i = spatial - 1; i >= 0; i--)
        {
            var coordinate = rest.remainder(Scalars.Of(given[i])).Minus(native ? 0 : begins[i]);
            rest = rest.div(Scalars.Of(given[i]), RoundingMode.floor);
            position = position.Plus(coordinate.Times(columnMajor ? x.AsSpan(2, i).ToArray().Aggregate(1L, (a, b) => a * b) : rowStep));
            rowStep *= x[2 + i];
        }

        var planes = TensorArithmetic.Arange(x[0] * x[1], local.device).Times(rowStep);
        return position.Plus(planes.reshape([x[0], x[1], .. Enumerable.Repeat(1L, spatial)]));
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) => window.Work(context);

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("MaxPool", [1, 8, 10, 11, 12, 22], node => new MaxPool(node)) { Types = [.. TypeSets.Floats, .. TypeSets.Bytes] }];
    }
}
