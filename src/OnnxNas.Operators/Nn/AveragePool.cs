using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// AveragePool, versions 1, 7, 10, 11, 19 and 22: X <c>[N,C,D1..Dn]</c> to Y <c>[N,C,..]</c>, n = 1 to 3. With <c>count_include_pad</c>
/// the padding counts, but never what <c>ceil_mode</c> adds beyond it.
/// </summary>
internal sealed class AveragePool : NamedOperator
{
    private readonly PoolWindow window;
    private readonly bool countPads;

    private AveragePool(NodeReader node) : base(node, 1, 1)
    {
        window = new(node, ceil: node.Version >= 10, dilated: node.Version >= 19);
        countPads = node.Version >= 7 && node.Flag("count_include_pad", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        [InferredValue.Tensor(context.Element(0), window.OutputShape(context))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var place = window.Place(x);
        if (place.IsNative && place.IsDense)
        {
            return place.Begins.Length switch
            {
                1 => [nn.functional.avg_pool1d(x, place.Kernel[0], place.Strides[0], place.Begins[0], place.CeilMode, countPads)],
                2 => [nn.functional.avg_pool2d(x, place.Kernel, place.Strides, place.Begins, place.CeilMode, countPads)],
                _ => [nn.functional.avg_pool3d(x, place.Kernel, place.Strides, place.Begins, place.CeilMode, countPads)],
            };
        }

        return [(place.Sum(x) / Counts(place, x))];
    }

    // How many elements of each window count, as [1,1,outputs..].
    private Tensor Counts(PoolWindow.Placement place, Tensor x)
    {
        var n = place.Outputs.Length;
        var counted = ones([1, 1, .. x.shape.AsSpan(2)], x.dtype, x.device);
        if (!countPads)
            return place.Sum(counted);
        var padded = Padding.Constant(counted, place.Pads, 1);
        return (place with { Pads = new long[2 * n] }).Sum(padded);
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) => window.Work(context);

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("AveragePool", [1, 7, 10, 11, 19, 22], node => new AveragePool(node))];
    }
}
