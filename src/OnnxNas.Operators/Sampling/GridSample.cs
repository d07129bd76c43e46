using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Sampling;

/// <summary>
/// GridSample, versions 16, 20 and 22: X <c>[N,C,D1..Dn]</c> read at the points of grid <c>[N,E1..En,n]</c>, whose coordinates, the last axis
/// first, run from -1 to 1, as <c>[N,C,E1..En]</c>; n is 2, and from version 20 on any number. Modes linear, nearest and cubic (of planes).
/// </summary>
internal sealed class GridSample : NamedOperator
{
    private const double CubicA = -0.75;

    private readonly string mode;
    private readonly string padding;
    private readonly bool aligned;
    private readonly bool planesOnly;

    private GridSample(NodeReader node) : base(node, 2, 2)
    {
        planesOnly = node.Version < 20;
        var given = node.String("mode", planesOnly ? "bilinear" : "linear");
        mode = given switch { "bilinear" => "linear", "bicubic" => "cubic", _ => given };
        padding = node.String("padding_mode", "zeros");
        aligned = node.Flag("align_corners", false);
        if (mode is not ("linear" or "nearest" or "cubic"))
            throw node.Unsupported($"mode '{given}' is not one of linear, nearest, cubic.");
        if (padding is not ("zeros" or "border" or "reflection"))
            throw node.Unsupported($"padding_mode '{padding}' is not one of zeros, border, reflection.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x || context.Shape(1) is not { } grid)
            return UnknownShape(context.Element(0));
        Require(x.Rank, grid.Rank, grid.Rank > 0 ? grid[^1].ValueOrNull : null);
        return Output(context.Element(0), [Same(x[0], grid[0], "in the batch of X and grid"), x[1], .. grid.Skip(1).SkipLast(1)]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, grid) = (inputs[0]!, inputs[1]!);
        var (shape, points) = (x.shape, grid.shape);
        Require(shape.Length, points.Length, points.Length > 0 ? points[^1] : null);
        if (shape[0] != points[0] || shape.AsSpan(2).Contains(0) || !x.is_floating_point())
            throw Error($"X {x.dtype} {x.Text()} must be of floats, not empty, and of one batch with grid {grid.Text()}.");
        var n = shape.Length - 2;
        var flat = grid.to(x.dtype).reshape(points[0], -1, n);
        var places = new Tensor[n];
        for (var i = 0; i < n; i++)
        {
            var extent = shape[2 + i];
            var unit = flat.select(2, n - 1 - i).Plus(1.0);
            var pixel = aligned ? unit.Times((extent - 1) / 2.0) : unit.Times(extent / 2.0).Minus(0.5);
            // The taps of a cubic are padded one by one.
            places[i] = mode == "cubic" ? pixel : Padded(pixel, extent);
        }

        var y = mode switch
        {
            "nearest" => PlanePoints.At(x, [.. places.Select(p => p.detach().round())]),
            "linear" => PlanePoints.Linear(x, places),
            _ => PlanePoints.Mixed(x, places, 4, Cubic, 1, (pixel, axis) => Padded(pixel, shape[2 + axis])),
        };
        return [y.reshape([shape[0], shape[1], .. points[1..^1]])];
    }

    private Tensor Padded(Tensor pixel, long extent)
    {
        if (padding == "zeros")
            return pixel;
        var (low, high) = aligned ? (0.0, extent - 1.0) : (-0.5, extent - 0.5);
        if (padding == "reflection")
        {
            var span = high - low;
            if (span == 0)
                return zeros_like(pixel);
            // A triangle wave of the period 2·span.
            var phase = pixel.Minus(low).abs().remainder(Scalars.Of(2 * span));
            pixel = minimum(phase, (-phase).Plus(2 * span)).Plus(low);
        }

        return pixel.clamp(Scalars.Of(0.0), Scalars.Of(extent - 1.0));
    }

    private static Tensor Cubic(Tensor floor, Tensor point, int tap)
    {
        var d = (point - floor.Plus((long)(tap - 1))).abs();
        return tap is 1 or 2
            ? (d.Times(CubicA + 2).Minus(CubicA + 3) * d * d).Plus(1.0)
            : (((d.Times(CubicA).Minus(5 * CubicA)) * d).Plus(8 * CubicA) * d).Minus(4 * CubicA);
    }

    private void Require(int x, int grid, long? coordinates)
    {
        if (x < 3 || grid != x || coordinates is { } given && given != x - 2 || planesOnly && x != 4)
            throw Error($"X of rank {x} and grid of rank {grid} with {coordinates} coordinates do not fit{(planesOnly ? "; this version takes planes" : "")}.");
        if (mode == "cubic" && x != 4)
            throw Unsupported("cubic sampling is of planes only.");
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        Workload.Of(Workload.Count(outputs[0]?.Shape) * (mode == "cubic" ? 16 : mode == "linear" ? 1 << Math.Max(0, (context.Shape(0)?.Rank ?? 2) - 2) : 1));

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("GridSample", [16, 20, 22], node => new GridSample(node))];
    }
}
