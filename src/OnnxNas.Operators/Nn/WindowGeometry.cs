using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// Kernel, strides, dilations and pads of convolutions and pools, as their attributes give them
/// (<c>auto_pad</c>, <c>pads</c>, <c>strides</c>, <c>dilations</c>, <c>kernel_shape</c>, <c>ceil_mode</c>).
/// </summary>
internal sealed class WindowGeometry
{
    private readonly string autoPad;
    private readonly long[]? kernel;
    private readonly long[]? strides;
    private readonly long[]? dilations;
    private readonly long[]? pads;

    /// <summary>Reads the attributes; <paramref name="ceil"/> and <paramref name="dilated"/> say whether the operator's version has ceil_mode and dilations.</summary>
    public WindowGeometry(NodeReader node, bool ceil = false, bool dilated = true)
    {
        autoPad = node.String("auto_pad", "NOTSET");
        kernel = node.Ints("kernel_shape");
        strides = node.Ints("strides");
        dilations = dilated ? node.Ints("dilations") : null;
        pads = node.Ints("pads");
        CeilMode = ceil && node.Flag("ceil_mode", false);
        if (autoPad is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"))
            throw node.Unsupported($"auto_pad '{autoPad}' is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER.");
        if (new[] { kernel, strides, dilations }.OfType<long[]>().SelectMany(l => l).Any(e => e is <= 0 or > int.MaxValue) || pads?.Any(p => p > int.MaxValue) == true)
            throw node.Malformed($"strides, dilations and kernel_shape must be positive, and with pads at most {int.MaxValue}.");
        if (new[] { kernel?.Length, strides?.Length, dilations?.Length, pads?.Length / 2.0 }.Where(n => n is not null).Distinct().Count() > 1)
            throw node.Malformed("kernel_shape, strides, dilations and pads (two each) are not for one number of spatial axes.");
        if (pads?.Any(p => p < 0) == true)
            throw node.Unsupported("negative pads are not supported; put a Slice before the node.");
    }

    /// <summary>Whether the output extent is rounded up.</summary>
    public bool CeilMode { get; }

    /// <summary>The kernel of the attribute, or null.</summary>
    public long[]? Kernel => kernel;

    public long[] Strides(int spatial) => strides ?? Ones(spatial);

    public long[] Dilations(int spatial) => dilations ?? Ones(spatial);

    /// <summary>Pads for known extents: all begins, then all ends.</summary>
    public long[] Pads(ReadOnlySpan<long> extents, ReadOnlySpan<long> kernelShape)
    {
        var n = extents.Length;
        if (autoPad == "NOTSET")
            return pads ?? new long[2 * n];
        var result = new long[2 * n];
        if (autoPad == "VALID")
            return result;
        var (stride, dilation) = (Strides(n), Dilations(n));
        for (var i = 0; i < n; i++)
        {
            var outExtent = (extents[i] + stride[i] - 1) / stride[i];
            var total = Math.Max(0, (outExtent - 1) * stride[i] + (kernelShape[i] - 1) * dilation[i] + 1 - extents[i]);
            var less = total / 2;
            (result[i], result[n + i]) = autoPad == "SAME_UPPER" ? (less, total - less) : (total - less, less);
        }

        return result;
    }

    /// <summary>Output extents by the rules of Conv and the pools. Where <c>ceil_mode</c> is on, a last window that would start in the end padding is dropped.</summary>
    public Dim[] OutputExtents(InferenceContext context, IReadOnlyList<Dim> extents, IReadOnlyList<Dim> kernelShape)
    {
        var n = extents.Count;
        Require(context, n);
        var (stride, dilation) = (Strides(n), Dilations(n));
        var result = new Dim[n];
        for (var i = 0; i < n; i++)
        {
            if (autoPad is "SAME_UPPER" or "SAME_LOWER")
            {
                result[i] = Dim.CeilDiv(extents[i], stride[i]);
                continue;
            }

            var (begin, end) = pads is null || autoPad == "VALID" ? (0L, 0L) : (pads[i], pads[n + i]);
            var room = extents[i] + begin + end - (kernelShape[i] - 1) * dilation[i] - 1;
            if (room.ValueOrNull < 0)
                throw context.Error($"the window is larger than the padded input: extent {extents[i]}, pads {begin}+{end}, kernel {kernelShape[i]}, dilation {dilation[i]} on spatial axis {i}.");
            result[i] = CeilMode
                ? Dim.Min(Dim.CeilDiv(room, stride[i]) + 1, Dim.CeilDiv(extents[i] + begin, stride[i]))
                : Dim.FloorDiv(room, stride[i]) + 1;
        }

        return result;
    }

    /// <summary>Elements of an input <c>[N,C,D1..Dn]</c> with its border.</summary>
    public double Padded(long[] input, ReadOnlySpan<long> kernelShape)
    {
        var spatial = input.Length - 2;
        var border = Pads(input.AsSpan(2), kernelShape);
        var count = (double)input[0] * input[1];
        for (var i = 0; i < spatial; i++)
            count *= (double)input[2 + i] + border[i] + border[spatial + i];
        return count;
    }

    private void Require(InferenceContext context, int spatial)
    {
        if (kernel is not null && kernel.Length != spatial)
            throw context.Error($"kernel_shape has {kernel.Length} entries, the input has {spatial} spatial axes.");
        if (strides is not null && strides.Length != spatial)
            throw context.Error($"strides has {strides.Length} entries, the input has {spatial} spatial axes.");
        if (dilations is not null && dilations.Length != spatial)
            throw context.Error($"dilations has {dilations.Length} entries, the input has {spatial} spatial axes.");
        if (pads is not null && pads.Length != 2 * spatial)
            throw context.Error($"pads has {pads.Length} entries, the input has {spatial} spatial axes (two each).");
    }

    private static long[] Ones(int count)
    {
        var ones = new long[count];
        Array.Fill(ones, 1);
        return ones;
    }
}
