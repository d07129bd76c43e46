using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Guards for integer arithmetic: what libtorch leaves to the processor may end the process.</summary>
internal static class Integers
{
    /// <summary>
    /// Refuses a division of integers by what is known to be 0, and of the least integer by −1, before anything computes it: ONNX leaves both open, and other
    /// runtimes leave them to the processor, which ends the process.
    /// </summary>
    public static void RequireDefined(InferenceContext context)
    {
        if (!context.Element(0).IsInteger() || Known(context, 1) is not { } divisors)
            return;
        if (divisors.Contains(0))
            throw context.Error("the divisor, input 1, holds a 0, by which an integer cannot be divided. Change the constant, or divide floats.");
        if (divisors.Contains(-1) && Least(context.Element(0)) is { } least && Known(context, 0)?.Contains(least) == true)
            throw context.Error($"input 0 holds {least} and input 1 holds -1, whose quotient {context.Element(0)} cannot hold. Change one of the constants.");
    }

    private static long[]? Known(InferenceContext context, int index) =>
        context.Constant(index) is { } constant && constant.Type != ElementType.UInt64 ? constant.ToInt64s() : KnownElements.Numbers(context, index);

    private static long? Least(ElementType type) => type switch
    {
        ElementType.Int8 => sbyte.MinValue,
        ElementType.Int16 => short.MinValue,
        ElementType.Int32 => int.MinValue,
        ElementType.Int64 => long.MinValue,
        _ => null,
    };

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
