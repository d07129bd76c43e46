using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Unsigned integers of 16 to 64 bits, which libtorch stores and converts but hardly computes with: they are computed as int64.</summary>
internal static class WideUnsigned
{
    /// <summary>Whether a tensor is of such a type.</summary>
    public static bool Is(Tensor tensor) => tensor.dtype.ToElementType() is ElementType.UInt16 or ElementType.UInt32 or ElementType.UInt64;

    /// <summary>The tensor as int64 if it is of such a type, else itself.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="wraps">Whether the function gives the same bits for signed and unsigned numbers, so that any uint64 will do.</param>
    /// <exception cref="UnsupportedOperatorException">A uint64 is above the greatest int64, and its order or quotient is asked for.</exception>
    public static Tensor Widened(Tensor tensor, bool wraps)
    {
        if (!Is(tensor))
            return tensor;
        var wide = tensor.to(ScalarType.Int64);
        if (!wraps && tensor.dtype.ToElementType() == ElementType.UInt64 && wide.lt(Scalars.Zero).any().item<bool>())
            throw new UnsupportedOperatorException($"Uint64 numbers above {long.MaxValue} are not supported here; use int64.");
        return wide;
    }

    /// <summary>A function's result on widened tensors in the type of <paramref name="like"/>, unless it is a bool.</summary>
    public static Tensor Narrowed(Tensor result, Tensor like) => Is(like) && result.dtype == ScalarType.Int64 ? result.to(like.dtype) : result;
}
