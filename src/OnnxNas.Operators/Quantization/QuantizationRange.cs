using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Quantization;

/// <summary>The integer types that numbers are quantised to here.</summary>
internal static class QuantizationRange
{
    /// <summary>The least and the greatest number.</summary>
    /// <exception cref="UnsupportedOperatorException">Another type.</exception>
    public static (long Least, long Greatest) Of(ElementType type) => type switch
    {
        ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ElementType.UInt16 => (ushort.MinValue, ushort.MaxValue),
        ElementType.Int16 => (short.MinValue, short.MaxValue),
        _ => throw new UnsupportedOperatorException($"Quantisation to {type} is not supported; to uint8, int8, uint16 and int16 it is."),
    };

    /// <summary>The nearest integers (halves to the even one) plus the zero point, within the type's range.</summary>
    public static Tensor Rounded(Tensor scaled, Tensor? zeroPoint, ElementType type) =>
        Within(Shifted(scaled, zeroPoint), type).to(ScalarType.Int64).to(type.ToTorch());

    /// <summary>
    /// The same integers as floating-point numbers. Those within the range before they were saturated have the gradient 1 by <paramref name="scaled"/>, others 0.
    /// </summary>
    public static Tensor StraightThrough(Tensor scaled, Tensor? zeroPoint, ElementType type)
    {
        var shifted = Shifted(scaled.detach(), zeroPoint);
        var result = Within(shifted, type);
        // The difference is 0, and leaves the integers exact.
        return result.Plus(where(result.eq(shifted), scaled - scaled.detach(), zeros_like(result)));
    }

    private static Tensor Shifted(Tensor scaled, Tensor? zeroPoint) =>
        zeroPoint is null ? scaled.round() : scaled.round().Plus(zeroPoint.to(ScalarType.Int64).to(scaled.dtype));

    private static Tensor Within(Tensor shifted, ElementType type)
    {
        var (least, greatest) = Of(type);
        return shifted.clamp(Scalars.Of((double)least), Scalars.Of((double)greatest));
    }

    /// <summary>Integers less their zero point, as float64, in which products and sums of 8-bit numbers are exact.</summary>
    public static Tensor Centred(Tensor x, Tensor? zeroPoint)
    {
        var wide = x.to(ScalarType.Int64).to(ScalarType.Float64);
        return zeroPoint is null ? wide : wide - zeroPoint.to(ScalarType.Int64).to(ScalarType.Float64);
    }
}
