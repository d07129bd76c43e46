using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators.Nn;

/// <summary>The geometry of a transposed convolution, as its attributes give it: <c>output_shape</c> or <c>auto_pad</c> decide the pads, or else <c>pads</c> the output.</summary>
internal sealed class TransposedWindow
{
    private readonly string autoPad;
    private readonly long[]? kernel;
    private readonly long[]? strides;
    private readonly long[]? dilations;
    private readonly long[]? pads;
    private readonly long[]? outputPadding;
    private readonly long[]? outputShape;

    public TransposedWindow(NodeReader node)
    {
        autoPad = node.String("auto_pad", "NOTSET");
        kernel = node.Ints("kernel_shape");
        strides = node.Ints("strides");
        dilations = node.Ints("dilations");
        pads = node.Ints("pads");
        outputPadding = node.Ints("output_padding");
        outputShape = node.Ints("output_shape");
        if (autoPad is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"))
            throw node.Unsupported($"auto_pad '{autoPad}' is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER.");
        if (new[] { kernel, strides, dilations }.OfType<long[]>().SelectMany(l => l).Any(e => e is <= 0 or > int.MaxValue))
            throw node.Malformed($"strides, dilations and kernel_shape must be positive, and at most {int.MaxValue}.");
        if (new[] { pads, outputPadding, outputShape }.OfType<long[]>().SelectMany(l => l).Any(e => e > int.MaxValue))
            throw node.Malformed($"pads, output_padding and output_shape must be at most {int.MaxValue}.");
        if (pads?.Any(p => p < 0) == true || outputPadding?.Any(p => p < 0) == true)
            throw node.Unsupported("negative pads are not supported; put a Pad after the node.");
    }

    private bool IsSame => autoPad is "SAME_UPPER" or "SAME_LOWER";

    /// <summary>Output extents, perhaps symbolic.</summary>
    public Dim[] OutputExtents(InferenceContext context, IReadOnlyList<Dim> extents, IReadOnlyList<Dim> kernelShape)
    {
        var n = extents.Count;
        if (Misfit(n, i => kernelShape[i].ValueOrNull) is { } misfit)
            throw context.Error(misfit);
        var result = new Dim[n];
        for (var i = 0; i < n; i++)
        {
            result[i] = SpatialOutput(i, n) is { } given ? given
                : IsSame ? Dim.Min(Whole(extents[i], kernelShape[i], i), extents[i] * At(strides, i, 1))
                : Whole(extents[i], kernelShape[i], i) - Pad(i, n);
            if (result[i].ValueOrNull <= 0)
                throw context.Error($"the output of spatial axis {i} would have the extent {result[i]}; its pads are too large.");
        }

        return result;
    }

    /// <summary>The window over known extents.</summary>
    public Placement Place(ReadOnlySpan<long> extents, ReadOnlySpan<long> kernelShape)
    {
        var n = extents.Length;
        var weights = kernelShape.ToArray();
        var misfit = Misfit(n, i => weights[i]);
        Rules.Require(misfit is null, () => $"ConvTranspose: {misfit}");
        var (outputs, begins, ends) = (new long[n], new long[n], new long[n]);
        for (var i = 0; i < n; i++)
        {
            var whole = Whole(extents[i], kernelShape[i], i).Value;
            if (SpatialOutput(i, n) is null && !IsSame)
            {
                var explicitPads = autoPad == "VALID" ? null : pads;
                (begins[i], ends[i]) = (At(explicitPads, i, 0), At(explicitPads, n + i, 0));
                outputs[i] = whole - begins[i] - ends[i];
            }
            else
            {
                // A window smaller than the stride leaves less than extent times stride; like ONNX Runtime, nothing is added then.
                outputs[i] = SpatialOutput(i, n) ?? Math.Min(whole, extents[i] * At(strides, i, 1));
                var total = Math.Max(0, whole - outputs[i]);
                begins[i] = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
                ends[i] = total - begins[i];
            }

            var (axis, extent) = (i, outputs[i]);
            Rules.Require(extent > 0, () => $"ConvTranspose: the output of spatial axis {axis} would have the extent {extent}; its pads are too large.");
        }

        var wholes = new long[n];
        for (var i = 0; i < n; i++)
            wholes[i] = Whole(extents[i], kernelShape[i], i).Value;
        long[] Filled(long[]? values, long fallback) => values ?? [.. Enumerable.Repeat(fallback, n)];
        return new(Filled(strides, 1), Filled(dilations, 1), begins, ends, Filled(outputPadding, 0), outputs, wholes);
    }

    /// <summary>The extent of spatial axis <paramref name="i"/> before anything is cut off.</summary>
    public Dim Whole(Dim extent, Dim kernelExtent, int i) =>
        (extent - 1) * At(strides, i, 1) + At(outputPadding, i, 0) + (kernelExtent - 1) * At(dilations, i, 1) + 1;

    private long Pad(int i, int n) => autoPad == "VALID" ? 0 : At(pads, i, 0) + At(pads, n + i, 0);

    // Some exporters put batch and channels in front.
    private long? SpatialOutput(int i, int n) => outputShape is null ? null : outputShape[outputShape.Length - n + i];

    private string? Misfit(int n, Func<int, long?> weights)
    {
        if (kernel is not null && (kernel.Length != n || Enumerable.Range(0, n).Any(i => weights(i) is { } k && k != kernel[i])))
            return $"kernel_shape [{string.Join(',', kernel)}] does not fit W.";
        if (outputShape is not null && outputShape.Length != n && outputShape.Length != n + 2)
            return $"output_shape has {outputShape.Length} entries, the input has {n} spatial axes.";
        foreach (var (name, values, length) in new[] { ("strides", strides, n), ("dilations", dilations, n), ("output_padding", outputPadding, n), ("pads", pads, 2 * n) })
        {
            if (values is not null && values.Length != length)
                return $"{name} has {values.Length} entries, {length} are needed for {n} spatial axes.";
        }

        return null;
    }

    private static long At(long[]? values, int i, long fallback) => values is null ? fallback : values[i];

    /// <summary>A window over known extents.</summary>
    public sealed record Placement(long[] Strides, long[] Dilations, long[] Begins, long[] Ends, long[] OutputPadding, long[] Outputs, long[] Wholes)
    {
        /// <summary>Whether libtorch's own padding does: equal on both sides, an output padding smaller than the stride or dilation, and no more output than there is.</summary>
        public bool IsNative
        {
            get
            {
                for (var i = 0; i < Outputs.Length; i++)
                {
                    if (Begins[i] != Ends[i] || OutputPadding[i] >= Math.Max(Strides[i], Dilations[i]) || Outputs[i] != Wholes[i] - Begins[i] - Ends[i])
                        return false;
                }

                return true;
            }
        }
    }
}
