using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>An array in .npy format. Big-endian elements are turned as they are read.</summary>
internal sealed class NpyArray : SampleArray
{
    private readonly ByteSource source;
    private readonly NpyHeader header;

    private NpyArray(ByteSource source, NpyHeader header, string description) : base(description, header.Type, header.Dims)
    {
        this.source = source;
        this.header = header;
    }

    /// <summary>The array that takes up all of <paramref name="source"/>, which stays the caller's.</summary>
    /// <exception cref="DataException">See <see cref="NpyHeader.Read"/>.</exception>
    public static NpyArray Read(ByteSource source, string description) => new(source, NpyHeader.Read(source, description), description);

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        source.Read(header.DataOffset + offset, destination);
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
