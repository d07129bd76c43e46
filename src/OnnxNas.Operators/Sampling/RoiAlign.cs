using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Sampling;

/// <summary>
/// RoiAlign, versions 10, 16 and 22: regions rois <c>[R,4]</c> (x1, y1, x2, y2) of the planes X <c>[N,C,H,W]</c> that batch_indices <c>[R]</c>
/// names, in <c>output_height</c>·<c>output_width</c> cells, each the mean or the maximum of samples between pixels: <c>[R,C,oH,oW]</c>. The
/// maximum is, as ONNX has it, that of the four weighted pixels around each sample. Rois pass no gradient.
/// </summary>
internal sealed class RoiAlign : NamedOperator
{
    private readonly bool average;
    private readonly long height;
    private readonly long width;
    private readonly long ratio;
    private readonly double scale;
    private readonly bool halfPixel;

    private RoiAlign(NodeReader node) : base(node, 3, 3)
    {
        var mode = node.String("mode", "avg");
        var coordinates = node.Version >= 16 ? node.String("coordinate_transformation_mode", "half_pixel") : "output_half_pixel";
        (average, halfPixel) = (mode == "avg", coordinates == "half_pixel");
        (height, width, ratio) = (node.Int("output_height", 1), node.Int("output_width", 1), node.Int("sampling_ratio", 0));
        scale = node.Float("spatial_scale", 1);
        if (mode is not ("avg" or "max") || coordinates is not ("half_pixel" or "output_half_pixel"))
            throw node.Unsupported($"mode '{mode}' with coordinate_transformation_mode '{coordinates}' is not one of avg, max with half_pixel, output_half_pixel.");
        if (height < 1 || width < 1 || ratio < 0)
            throw node.Malformed("output_height and output_width must be positive, and sampling_ratio not negative.");
    }

    public override bool PassesGradient(int input) => input == 0;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { Rank: not 4 } || context.Shape(1) is { Rank: not 2 } || context.Shape(2) is { Rank: not 1 })
            throw Error("X, rois and batch_indices must have 4, 2 and 1 axes.");
        return Output(context.Element(0), [context.Shape(1)?[0] ?? context.Shape(2)?[0] ?? Dim.Unknown(), context.Shape(0)?[1] ?? Dim.Unknown(), height, width]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, rois, batch) = (inputs[0]!, inputs[1]!, inputs[2]!);
        if (x.dim() != 4 || rois.dim() != 2 || rois.shape[1] != 4 || !batch.shape.SequenceEqual([rois.shape[0]]))
            throw Error($"X {x.Text()}, rois {rois.Text()} and batch_indices {batch.Text()} must be [N,C,H,W], [R,4] and [R].");
        var (numbers, planes) = (rois.ToTensorData().ToDoubles(), Movement.Indices.Positive(batch, x.shape[0], Error).ToInt64s());
        var regions = planes.Select((plane, r) => Region(x.narrow(0, plane, 1), numbers.AsSpan(4 * r, 4))).ToList();
        return [regions.Count == 0 ? zeros([0, x.shape[1], height, width], x.dtype, x.device) : cat(regions, 0)];
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { Rank: 4 } x || context.Shape(1) is not { Rank: 2 } rois)
            return default;
        var cells = (double)height * width;
        var (each, numbers) = (Workload.Count([rois[0]]) * ratio * ratio, ratio > 0 ? null : context.Constant(1)?.ToDoubles());
        for (var at = 0; at + 3 < numbers?.Length; at += 4)
            each += Math.Max(1, Math.Abs(numbers[at + 2] - numbers[at]) * scale / width + 1) * Math.Max(1, Math.Abs(numbers[at + 3] - numbers[at + 1]) * scale / height + 1);
        // Four pixels around each sample with their weights.
        return Workload.Of(each * cells * (8 + 4 * Workload.Count([x[1]])));
    }

    private Tensor Region(Tensor x, ReadOnlySpan<double> roi)
    {
        var shift = halfPixel ? 0.5 : 0;
        var (left, top) = (roi[0] * scale - shift, roi[1] * scale - shift);
        var (w, h) = (roi[2] * scale - shift - left, roi[3] * scale - shift - top);
        if (!double.IsFinite(left + top + w + h) || Math.Max(Math.Abs(w), Math.Abs(h)) > 1e6)
            throw Error($"the region [{string.Join(',', roi.ToArray())}] is not one of a picture.");
        if (!halfPixel)
            (w, h) = (Math.Max(w, 1), Math.Max(h, 1));
        var ys = Samples(top, h / height, height, out var rows);
        var xs = Samples(left, w / width, width, out var columns);
        long[] grid = [height * rows, width * columns];
        var (y, xPoints) = Within(x, ys, xs, grid, out var inside);
        var sampled = average ? PlanePoints.Linear(x, [y, xPoints]) : Corners(x, y, xPoints);
        var cells = (sampled * inside.to(x.dtype)).reshape(1, x.shape[1], height, rows, width, columns);
        return average ? cells.mean([3, 5]) : cells.amax([3, 5]);
    }

    private double[] Samples(double start, double cell, long count, out long perCell)
    {
        var each = perCell = ratio > 0 ? ratio : Math.Max(1, (long)Math.Ceiling(cell));
        var result = new double[count * each];
        for (var i = 0; i < result.Length; i++)
            result[i] = start + cell * (i / each) + (i % each + 0.5) * cell / each;
        return result;
    }

    // Samples up to a pixel outside take the border's value; those beyond count 0.
    private static (Tensor Y, Tensor X) Within(Tensor x, double[] ys, double[] xs, long[] grid, out Tensor inside)
    {
        var (y, px) = (tensor(ys).reshape(-1, 1).expand(grid).reshape(1, -1), tensor(xs).reshape(1, -1).expand(grid).reshape(1, -1));
        inside = Near(y, x.shape[2]).logical_and(Near(px, x.shape[3])).unsqueeze(1).to(x.device);
        return (Clamped(y, x.shape[2]), Clamped(px, x.shape[3]));

        Tensor Clamped(Tensor p, long extent) => p.clamp(Scalars.Of(0.0), Scalars.Of(extent - 1.0)).to(x.dtype).to(x.device);
        static Tensor Near(Tensor p, long extent) => p.ge(Scalars.Of(-1.0)).logical_and(p.le(Scalars.Of((double)extent)));
    }

    private static Tensor Corners(Tensor x, Tensor y, Tensor px)
    {
        Tensor? greatest = null;
        var (row, column) = (y.floor(), px.floor());
        foreach (var (dy, dx) in new[] { (0L, 0L), (0, 1), (1, 0), (1, 1) })
        {
            var (ty, tx) = (row.Plus(dy), column.Plus(dx));
            var weight = (y - ty).abs().Minus(1.0) * (px - tx).abs().Minus(1.0);
            // The last pixel has none after it; it stands there itself, with weight 0.
            var value = PlanePoints.At(x, [ty.clamp_max(Scalars.Of(x.shape[2] - 1.0)), tx.clamp_max(Scalars.Of(x.shape[3] - 1.0))]) * weight.unsqueeze(1);
            greatest = greatest is null ? value : maximum(greatest, value);
        }

        return greatest!;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("RoiAlign", [10, 16, 22], node => new RoiAlign(node))];
    }
}
