using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>An array in .npy format. Big-endian elements are turned as they are read.</summary>
/// <param name="header">Its head.</param>
/// <param name="elements">Its elements in C order, and nothing else. They are asked for when they are first read, and stay the caller's.</param>
/// <param name="description">The array in messages.</param>
internal sealed class NpyArray(NpyHeader header, Lazy<ByteSource> elements, string description) : SampleArray(description, header.Type, header.Dims)
{
    protected override void ReadCore(long offset, Span<byte> destination)
    {
        elements.Value.Read(offset, destination);
        if (header.BigEndian)
            Reverse(destination);
        if (Type == ElementType.Bool)
        {
            // Any byte but 0 is true, and only 1 may leave this place.
            foreach (ref var b in destination)
                b = b == 0 ? (byte)0 : (byte)1;
        }
    }

    private void Reverse(Span<byte> bytes)
    {
        switch (Type.BitWidth())
        {
            case 16:
                var shorts = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 32:
                var ints = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            case 64:
                var longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }
}
