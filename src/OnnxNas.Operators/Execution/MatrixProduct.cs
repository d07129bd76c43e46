using OnnxNas.Ir;
using OnnxNas.Operators.Elementwise;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>Products of matrices. TorchSharp guards none of them: what libtorch refuses there ends the process.</summary>
internal static class MatrixProduct
{
    /// <summary>a · b of shapes that multiply, whose leading axes broadcast; integers wrap around.</summary>
    /// <exception cref="ShapeInferenceException">The element types differ, or are truth values.</exception>
    public static Tensor MatrixTimes(this Tensor a, Tensor b)
    {
        if (a.dtype != b.dtype || a.dtype == ScalarType.Bool)
            throw new ShapeInferenceException($"matrices of {a.dtype.ToElementType()} and {b.dtype.ToElementType()} do not multiply; cast them to one type of numbers.");
        return WideUnsigned.Narrowed(WideUnsigned.Widened(a, wraps: true).matmul(WideUnsigned.Widened(b, wraps: true)), a);
    }
}
