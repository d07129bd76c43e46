using System.Buffers.Binary;
using System.Text;

namespace OnnxNas.Operators.Tests.Native;

/// <summary>The smallest library that needs two versions, A and B, and has two symbols: 1 is of version A, 2 of version B.</summary>
internal static class TinyElf
{
    /// <summary>Where the flags of version A lie.</summary>
    public const int FlagsOfA = Needs + 16 + 4;

    private const int Names = 64, Versions = 96, Needs = 112, Relocations = 160, Headers = 208, Size = Headers + (5 * 64);

    /// <summary>The bytes, with two relocations that refer to one symbol (0 for none).</summary>
    public static byte[] WithRelocationsFor(uint symbol)
    {
        var image = new byte[Size];
        byte[] identification = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identification.CopyTo(image, 0);
        Int64(40, Headers);
        UInt16(58, 64);
        UInt16(60, 5);

        // Offsets in the names: lib 1, A 5, B 7.
        Encoding.UTF8.GetBytes("\0lib\0A\0B\0").CopyTo(image, Names);
        UInt16(Versions + 2, 0x8003);
        UInt16(Versions + 4, 4);

        UInt16(Needs, 1);
        UInt16(Needs + 2, 2);
        UInt32(Needs + 4, 1);
        UInt32(Needs + 8, 16);
        UInt16(Needs + 16 + 6, 3);
        UInt32(Needs + 16 + 8, 5);
        UInt32(Needs + 16 + 12, 16);
        UInt16(Needs + 32 + 6, 4);
        UInt32(Needs + 32 + 8, 7);

        // The first relocation refers to no symbol, as relative ones do.
        UInt32(Relocations + 24 + 12, symbol);

        Section(1, type: 3, Names, 32, link: 0, info: 0);
        Section(2, type: 0x6fffffff, Versions, 6, link: 7, info: 0);
        Section(3, type: 0x6ffffffe, Needs, 48, link: 1, info: 1);
        Section(4, type: 4, Relocations, 48, link: 7, info: 0);
        return image;

        void UInt16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);
        void UInt32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        void Int64(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(image.AsSpan(at), value);
        void Section(int index, uint type, long offset, long size, uint link, uint info)
        {
            var at = Headers + (index * 64);
            UInt32(at + 4, type);
            Int64(at + 24, offset);
            Int64(at + 32, size);
            UInt32(at + 40, link);
            UInt32(at + 44, info);
        }
    }
}
