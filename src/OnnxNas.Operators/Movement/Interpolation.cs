namespace OnnxNas.Operators.Movement;

/// <summary>How Resize samples one axis: which places of the input make a place of the output, and with what weights.</summary>
internal sealed record Interpolation
{
    /// <summary><c>nearest</c>, <c>linear</c> or <c>cubic</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>The coordinate transformation.</summary>
    public required string Coordinates { get; init; }

    /// <summary>How nearest rounds; <c>simple</c> is what version 10 leaves open: up where the axis shrinks, down where it grows.</summary>
    public required string NearestMode { get; init; }

    public double CubicA { get; init; } = -0.75;

    public bool ExcludeOutside { get; init; }

    public bool Antialias { get; init; }

    /// <summary>The place in the input that a place of the output comes from. Single precision decides ties as ONNX Runtime does.</summary>
    public float Source(long place, Axis axis)
    {
        var (extent, resized, scale) = (axis.Extent, axis.Resized, axis.Scale);
        var halfPixel = (place + 0.5f) / scale - 0.5f;
        switch (Coordinates)
        {
            case "half_pixel":
                return halfPixel;
            case "pytorch_half_pixel":
                return resized > 1 ? halfPixel : 0;
            case "half_pixel_symmetric":
                return extent / 2f * (1 - resized / (scale * extent)) + halfPixel;
            case "align_corners":
                return resized == 1 ? 0 : place * (extent - 1) / (Length(axis) - 1);
            case "asymmetric":
                return place / scale;
            case "tf_half_pixel_for_nn":
                return (place + 0.5f) / scale;
            default: // tf_crop_and_resize
                return resized > 1
                    ? axis.Start * (extent - 1) + place * (axis.End - axis.Start) * (extent - 1) / (resized - 1)
                    : 0.5f * (axis.Start + axis.End) * (extent - 1);
        }
    }

    // What a scale makes of an extent before it is rounded down, as ONNX counts it (ONNX Runtime takes the rounded one).
    private static float Length(Axis axis) =>
        axis.Extent * axis.Scale is var length && MathF.Abs(length - axis.Resized) > 1e-3f && length > axis.Resized ? length : axis.Resized;

    /// <summary>The place nearest to a source place.</summary>
    public long Nearest(float source, Axis axis)
    {
        var place = NearestMode switch
        {
            "round_prefer_floor" => MathF.Ceiling(source - 0.5f),
            "round_prefer_ceil" => MathF.Floor(source + 0.5f),
            "floor" => MathF.Floor(source),
            "ceil" => MathF.Ceiling(source),
            _ => axis.Scale < 1 ? MathF.Ceiling(source) : MathF.Truncate(source),
        };
        return (long)Math.Clamp(place, 0, axis.Extent - 1);
    }

    /// <summary>Weights <c>[resized, extent]</c>, row by row, of linear and cubic interpolation.</summary>
    public float[] Weights(Axis axis)
    {
        var weights = new float[axis.Resized * axis.Extent];
        for (long place = 0; place < axis.Resized; place++)
        {
            var source = Source(place, axis);
            // Smoothing before an axis shrinks widens the window by as much.
            var squeeze = Antialias ? Math.Min(1, axis.Scale) : 1;
            var reach = (Mode == "linear" ? 1 : 2) / squeeze;
            var first = (long)Math.Floor(source - reach) + 1;
            var last = (long)Math.Ceiling(source + reach) - 1;
            var taps = new double[last - first + 1];
            double sum = 0;
            for (var i = 0; i < taps.Length; i++)
            {
                var inside = first + i >= 0 && first + i < axis.Extent;
                taps[i] = inside || !ExcludeOutside ? Kernel((first + i - source) * squeeze) : 0;
                sum += taps[i];
            }

            for (var i = 0; i < taps.Length; i++)
                weights[place * axis.Extent + Math.Clamp(first + i, 0, axis.Extent - 1)] += (float)(taps[i] / sum);
        }

        return weights;
    }

    private double Kernel(double distance)
    {
        var d = Math.Abs(distance);
        if (Mode == "linear")
            return Math.Max(0, 1 - d);
        return d switch
        {
            <= 1 => ((CubicA + 2) * d - (CubicA + 3)) * d * d + 1,
            < 2 => ((CubicA * d - 5 * CubicA) * d + 8 * CubicA) * d - 4 * CubicA,
            _ => 0,
        };
    }

    /// <summary>One axis in numbers; start and end of the region are fractions of the extent.</summary>
    public readonly record struct Axis(long Extent, long Resized, float Scale, float Start, float End);
}
