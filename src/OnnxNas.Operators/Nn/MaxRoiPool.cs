using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// MaxRoiPool, versions 1 and 22: regions rois <c>[R,5]</c> (batch, x1, y1, x2, y2) of planes X <c>[N,C,H,W]</c>, in whole pixels, in
/// <c>pooled_shape</c> cells, each its greatest pixel: <c>[R,C,oH,oW]</c>. An empty cell is 0. Rois pass no gradient.
/// </summary>
internal sealed class MaxRoiPool : NamedOperator
{
    private readonly long[] pooled;
    private readonly double scale;

    private MaxRoiPool(NodeReader node) : base(node, 2, 2)
    {
        pooled = node.Ints("pooled_shape") ?? throw node.Malformed("attribute 'pooled_shape' is missing; the operator needs it.");
        scale = node.Float("spatial_scale", 1);
        if (pooled.Length != 2 || pooled.Any(p => p < 1))
            throw node.Malformed($"pooled_shape [{string.Join(',', pooled)}] must be two positive numbers.");
    }

    public override bool PassesGradient(int input) => input == 0;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { Rank: not 4 } || context.Shape(1) is { Rank: not 2 })
            throw Error("X and rois must have 4 and 2 axes.");
        return Output(context.Element(0), [context.Shape(1)?[0] ?? Dim.Unknown(), context.Shape(0)?[1] ?? Dim.Unknown(), .. pooled.Select(Dim.Known)]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, rois) = (inputs[0]!, inputs[1]!);
        if (x.dim() != 4 || rois.dim() != 2 || rois.shape[1] != 5 || x.numel() == 0)
            throw Error($"X {x.Text()} and rois {rois.Text()} must be [N,C,H,W], not empty, and [R,5].");
        var numbers = rois.ToTensorData().ToDoubles();
        var regions = Enumerable.Range(0, (int)rois.shape[0]).Select(r => Region(x, numbers.AsSpan(5 * r, 5))).ToList();
        return [regions.Count == 0 ? zeros([0, x.shape[1], .. pooled], x.dtype, x.device) : stack(regions, 0)];
    }

    private Tensor Region(Tensor x, ReadOnlySpan<double> roi)
    {
        if (!(roi[0] >= 0 && roi[0] < x.shape[0]) || roi.ContainsAnyExceptInRange(-1e6, 1e6))
            throw Error($"the region [{string.Join(',', roi.ToArray())}] is not one of X {x.Text()}.");
        var plane = x.select(0, (long)roi[0]);
        var rows = Cells(Place(roi[2]), Place(roi[4]), pooled[0], x.shape[2]);
        var columns = Cells(Place(roi[1]), Place(roi[3]), pooled[1], x.shape[3]);
        var cells = from row in rows
                    from column in columns
                    select row.Count > 0 && column.Count > 0
                        ? plane.narrow(1, row.Start, row.Count).narrow(2, column.Start, column.Count).amax([1, 2])
                        : zeros([x.shape[1]], x.dtype, x.device);
        return stack(cells.ToArray(), 1).reshape([x.shape[1], .. pooled]);

        long Place(double coordinate) => (long)Math.Round(coordinate * scale, MidpointRounding.AwayFromZero);
    }

    private static (long Start, long Count)[] Cells(long first, long last, long count, long extent)
    {
        var size = Math.Max(last - first + 1, 1) / (double)count;
        var cells = new (long, long)[count];
        for (var i = 0; i < count; i++)
        {
            var from = Math.Clamp((long)Math.Floor(i * size) + first, 0, extent);
            var to = Math.Clamp((long)Math.Ceiling((i + 1) * size) + first, 0, extent);
            cells[i] = (from, Math.Max(0, to - from));
        }

        return cells;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("MaxRoiPool", [1, 22], node => new MaxRoiPool(node))];
    }
}
