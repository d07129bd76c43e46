using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>ONNX's multidirectional broadcasting: shapes are aligned at the last axis, an extent of 1 stretches.</summary>
internal static class Broadcasting
{
    /// <summary>The common shape of inputs; null where a rank is unknown.</summary>
    public static Shape? Infer(InferenceContext context, params ReadOnlySpan<int> inputs)
    {
        Shape? result = null;
        foreach (var input in inputs)
        {
            if (context.Shape(input) is not { } shape)
                return null;
            result = result is null ? shape : Combine(result, shape)
                ?? throw context.Error($"shapes {result} and {shape} do not broadcast; aligned at the last axis, extents must be equal or 1.");
        }

        return result;
    }

    /// <summary>The common shape, or null where there is none.</summary>
    public static Shape? Combine(Shape a, Shape b)
    {
        var result = new Dim[Math.Max(a.Rank, b.Rank)];
        for (var i = 0; i < result.Length; i++)
        {
            var (x, y) = (a.Rank - 1 - i, b.Rank - 1 - i);
            if ((x < 0 ? b[y] : y < 0 ? a[x] : Combine(a[x], b[y])) is not { } dim)
                return null;
            result[^(i + 1)] = dim;
        }

        return new Shape(result);
    }

    /// <summary>Whether tensors of these extents broadcast.</summary>
    public static bool Fits(ReadOnlySpan<long> a, ReadOnlySpan<long> b)
    {
        for (var i = 1; i <= Math.Min(a.Length, b.Length); i++)
        {
            if (a[^i] != b[^i] && a[^i] != 1 && b[^i] != 1)
                return false;
        }

        return true;
    }

    /// <summary>What is said of tensors that do not fit.</summary>
    public static string Mismatch(params Tensor[] tensors) =>
        $"shapes {string.Join(", ", tensors.Select(t => $"[{string.Join(',', t.shape)}]"))} do not broadcast; aligned at the last axis, extents must be equal or 1.";

    /// <summary>The common extents of tensors, or null where there are none.</summary>
    public static long[]? Extents(params ReadOnlySpan<Tensor> tensors)
    {
        long[] result = [];
        foreach (var tensor in tensors)
        {
            var extents = tensor.shape;
            if (!Fits(result, extents))
                return null;
            var (longer, shorter) = extents.Length > result.Length ? (extents, result) : (result, extents);
            var next = (long[])longer.Clone();
            for (var i = 1; i <= shorter.Length; i++)
                next[^i] = longer[^i] == 1 ? shorter[^i] : longer[^i];
            result = next;
        }

        return result;
    }

    private static Dim? Combine(Dim a, Dim b)
    {
        if (a.ValueOrNull == 1 || a.Equals(b))
            return b;
        if (b.ValueOrNull == 1)
            return a;
        if (a.IsKnown && b.IsKnown)
            return null;
        // A known extent other than 1 is the result, whatever the other one turns out to be.
        return a.IsKnown ? a : b.IsKnown ? b : Dim.Unknown();
    }
}
