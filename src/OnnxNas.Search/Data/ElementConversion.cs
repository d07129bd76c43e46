using System.Numerics;
using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// Converts elements to the type a model wants. To a floating-point type everything goes, with rounding (images of bytes stay 0 … 255);
/// to an integer type or bool only values that stay what they are.
/// </summary>
internal static class ElementConversion
{
    /// <summary>Whether values of one type can be meant for the other at all. Numbers with a fraction are not meant for integers.</summary>
    public static bool IsUsual(ElementType from, ElementType to) =>
        from == to || Readable(from) && (to.IsFloatingPoint() || !from.IsFloatingPoint() && (to.IsInteger() || to == ElementType.Bool));

    /// <summary>Converts all elements and returns −1, or the index of the first that does not fit.</summary>
    public static int Convert(ElementType from, ReadOnlySpan<byte> source, ElementType to, Span<byte> target) => from switch
    {
        ElementType.Float32 => To<float>(source, to, target),
        ElementType.Float64 => To<double>(source, to, target),
        ElementType.Float16 => To<Half>(source, to, target),
        ElementType.Int8 => To<sbyte>(source, to, target),
        ElementType.Int16 => To<short>(source, to, target),
        ElementType.Int32 => To<int>(source, to, target),
        ElementType.Int64 => To<long>(source, to, target),
        ElementType.UInt8 or ElementType.Bool => To<byte>(source, to, target),
        ElementType.UInt16 => To<ushort>(source, to, target),
        ElementType.UInt32 => To<uint>(source, to, target),
        ElementType.UInt64 => To<ulong>(source, to, target),
        _ => throw new DataException($"Elements of type {from} cannot be converted to {to}."),
    };

    private static bool Readable(ElementType type) =>
        type.IsInteger() || type is ElementType.Bool or ElementType.Float16 or ElementType.Float32 or ElementType.Float64;

    private static int To<T>(ReadOnlySpan<byte> source, ElementType to, Span<byte> target) where T : unmanaged, INumber<T> => to switch
    {
        ElementType.Float32 => ToFloat<T, float>(source, target),
        ElementType.Float64 => ToFloat<T, double>(source, target),
        ElementType.Float16 => ToFloat<T, Half>(source, target),
        ElementType.BFloat16 => ToBFloat16<T>(source, target),
        ElementType.Int8 => ToInteger<T, sbyte>(source, target),
        ElementType.Int16 => ToInteger<T, short>(source, target),
        ElementType.Int32 => ToInteger<T, int>(source, target),
        ElementType.Int64 => ToInteger<T, long>(source, target),
        ElementType.UInt8 => ToInteger<T, byte>(source, target),
        ElementType.UInt16 => ToInteger<T, ushort>(source, target),
        ElementType.UInt32 => ToInteger<T, uint>(source, target),
        ElementType.UInt64 => ToInteger<T, ulong>(source, target),
        ElementType.Bool => ToInteger<T, byte>(source, target) is >= 0 and var at ? at : target.IndexOfAnyExceptInRange((byte)0, (byte)1),
        _ => throw new DataException($"Data cannot be converted to {to}."),
    };

    private static int ToFloat<T, TTo>(ReadOnlySpan<byte> source, Span<byte> target)
        where T : unmanaged, INumber<T>
        where TTo : unmanaged, IFloatingPointIeee754<TTo>
    {
        var from = MemoryMarshal.Cast<byte, T>(source);
        var to = MemoryMarshal.Cast<byte, TTo>(target);
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = TTo.CreateTruncating(from[i]);
            if (TTo.IsInfinity(to[i]) && !T.IsInfinity(from[i]))
                return i;
        }

        return -1;
    }

    private static int ToBFloat16<T>(ReadOnlySpan<byte> source, Span<byte> target) where T : unmanaged, INumber<T>
    {
        var from = MemoryMarshal.Cast<byte, T>(source);
        var to = MemoryMarshal.Cast<byte, ushort>(target);
        for (var i = 0; i < from.Length; i++)
        {
            var value = float.CreateTruncating(from[i]);
            var bits = BitConverter.SingleToUInt32Bits(value);
            // Round half to even on the 16 bits that go; a NaN must stay one.
            to[i] = float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
            if ((to[i] & 0x7FFF) == 0x7F80 && !T.IsInfinity(from[i]))
                return i;
        }

        return -1;
    }

    private static int ToInteger<T, TTo>(ReadOnlySpan<byte> source, Span<byte> target)
        where T : unmanaged, INumber<T>
        where TTo : unmanaged, IBinaryInteger<TTo>
    {
        var from = MemoryMarshal.Cast<byte, T>(source);
        var to = MemoryMarshal.Cast<byte, TTo>(target);
        // Past 2^53 a float64 stands for its neighbours too, and saturation would go unnoticed.
        var limited = typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half);
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = TTo.CreateSaturating(from[i]);
            if (T.CreateSaturating(to[i]) != from[i] || limited && Math.Abs(double.CreateTruncating(from[i])) > 1L << 53)
                return i;
        }

        return -1;
    }
}
