using OnnxNas.Operators.Execution;
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
        if (divisor.eq(Scalars.Zero).any().item<bool>())
            throw new DivideByZeroException();
        minus = divisor.eq(Scalars.Of(-1));
        return minus.any().item<bool>() ? divisor.masked_fill(minus, Scalars.One) : null;
    }
}
