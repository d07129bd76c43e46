using System.Numerics;
using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>Finds NaN and infinity, a piece of the array at a time.</summary>
internal static class NonFinite
{
    private const int Piece = 1 << 20;

    /// <summary>The index of the first element that is no number, or −1.</summary>
    public static long Find(SampleArray array)
    {
        if (!array.Type.IsFloatingPoint())
            return -1;
        var width = array.Type.BitWidth() / 8;
        var (buffer, total) = (new byte[Piece], array.Count * array.SampleBytes);
        for (long offset = 0; offset < total; offset += Piece)
        {
            var bytes = buffer.AsSpan(0, (int)Math.Min(Piece, total - offset));
            array.Read(offset, bytes);
            // All bits of the exponent set: NaN or infinity.
            var at = array.Type switch
            {
                ElementType.Float16 => Find<ushort>(bytes, 0x7C00),
                ElementType.BFloat16 => Find<ushort>(bytes, 0x7F80),
                ElementType.Float32 => Find<uint>(bytes, 0x7F80_0000),
                _ => Find<ulong>(bytes, 0x7FF0_0000_0000_0000),
            };
            if (at >= 0)
                return offset / width + at;
        }

        return -1;
    }

    private static int Find<T>(ReadOnlySpan<byte> bytes, T exponent) where T : unmanaged, IBinaryInteger<T>
    {
        var bits = MemoryMarshal.Cast<byte, T>(bytes);
        var (at, mask) = (0, new Vector<T>(exponent));
        while (at <= bits.Length - Vector<T>.Count && !Vector.EqualsAny(new Vector<T>(bits[at..]) & mask, mask))
            at += Vector<T>.Count;
        while (at < bits.Length && (bits[at] & exponent) != exponent)
            at++;
        return at < bits.Length ? at : -1;
    }
}
