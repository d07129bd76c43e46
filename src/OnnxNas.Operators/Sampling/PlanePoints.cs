using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Sampling;

/// <summary>Reads planes at points between their pixels. Gradients flow to the planes and to the points.</summary>
internal static class PlanePoints
{
    /// <summary>
    /// X <c>[N,C,D1..Dn]</c> at points, n tensors <c>[N,P]</c> in pixels, the first for D1: the n-linear mix of the pixels around, those outside
    /// being 0, as <c>[N,C,P]</c>.
    /// </summary>
    public static Tensor Linear(Tensor x, IReadOnlyList<Tensor> points) => Mixed(x, points, 2, (floor, point, tap) =>
    {
        var distance = point - floor;
        return tap == 0 ? ones_like(distance) - distance : distance;
    }, 0, (pixel, _) => pixel);

    /// <summary>The mix of <paramref name="taps"/> pixels along each axis, the first <paramref name="before"/> places before the point's floor.</summary>
    /// <param name="x">The planes.</param>
    /// <param name="points">Where.</param>
    /// <param name="taps">How many pixels along an axis.</param>
    /// <param name="weight">The weight of a tap from floor and point.</param>
    /// <param name="before">How many of them lie before the floor.</param>
    /// <param name="place">What becomes of a pixel's number along the axis of that index; what is outside then counts 0.</param>
    public static Tensor Mixed(Tensor x, IReadOnlyList<Tensor> points, int taps, Func<Tensor, Tensor, int, Tensor> weight, int before, Func<Tensor, int, Tensor> place)
    {
        var floors = points.Select(p => p.detach().floor()).ToList();
        Tensor? sum = null;
        var tap = new int[points.Count];
        while (true)
        {
            var pixels = floors.Select((f, i) => place(f.Plus((long)(tap[i] - before)), i)).ToList();
            var mix = weight(floors[0], points[0], tap[0]);
            for (var i = 1; i < tap.Length; i++)
                mix *= weight(floors[i], points[i], tap[i]);
            var part = At(x, pixels) * mix.unsqueeze(1);
            sum = sum is null ? part : sum.Plus(part);
            var axis = tap.Length - 1;
            while (axis >= 0 && ++tap[axis] == taps)
                tap[axis--] = 0;
            if (axis < 0)
                return sum;
        }
    }

    /// <summary>X at whole pixels <c>[N,P]</c>, as <c>[N,C,P]</c>; 0 outside.</summary>
    public static Tensor At(Tensor x, IReadOnlyList<Tensor> pixels)
    {
        var shape = x.shape;
        var inside = ones_like(pixels[0], ScalarType.Bool);
        var linear = zeros_like(pixels[0], ScalarType.Int64);
        for (var i = 0; i < pixels.Count; i++)
        {
            var extent = shape[2 + i];
            inside = inside.logical_and(pixels[i].ge(Scalars.Zero)).logical_and(pixels[i].lt(Scalars.Of(extent)));
            // Not a number compares as outside; its conversion to an integer must not be used.
            var safe = where(inside, pixels[i], zeros_like(pixels[i])).to(ScalarType.Int64).clamp(Scalars.Zero, Scalars.Of(extent - 1));
            linear = linear.Times(extent).Plus(safe);
        }

        var (n, c) = (shape[0], shape[1]);
        var picked = x.reshape(n, c, -1).gather(2, linear.unsqueeze(1).expand(n, c, linear.shape[1]));
        return picked * inside.unsqueeze(1).to(x.dtype);
    }
}
