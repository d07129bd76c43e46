using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Guards for integer arithmetic: what libtorch leaves to the processor may end the process.</summary>
internal static class Integers
{
    /// <summary>
    /// Refuses zeros. Where the divisor holds -1, gives one that holds 1 there and where that was: the least integer
    /// divided by -1 traps. Null where the divisor may be used as it is.
    /// </summary>
    /// <exception cref="DivideByZeroException">The divisor holds a zero.</exception>
    public static Tensor? SafeDivisor(Tensor divisor, out Tensor minus)
    {
        if (divisor.eq(0).any().ToBoolean())
            throw new DivideByZeroException();
        minus = divisor.eq(-1);
        return minus.any().ToBoolean() ? divisor.masked_fill(minus, 1) : null;
    }
}
