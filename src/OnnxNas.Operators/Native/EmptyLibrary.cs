using System.Buffers.Binary;
using System.Text;

namespace OnnxNas.Operators.Native;

/// <summary>The least that Linux's loader takes for a library: a name and no symbols (System V ABI, x86-64). Once it is loaded, no other library is searched by that name.</summary>
internal static class EmptyLibrary
{
    private const int Header = 64, ProgramHeader = 56, Programs = 3;
    private const int Dynamic = Header + (Programs * ProgramHeader), DynamicSize = 7 * 16;
    private const int Symbols = Dynamic + DynamicSize, SymbolSize = 24;
    private const int Strings = Symbols + SymbolSize;

    /// <summary>The bytes of a library.</summary>
    /// <param name="name">Its name, as <c>libtorch_cuda.so</c>.</param>
    /// <param name="initializer">Machine code that runs when it is loaded; none unless given.</param>
    public static byte[] Named(string name, params ReadOnlySpan<byte> initializer)
    {
        byte[] strings = [0, .. Encoding.UTF8.GetBytes(name), 0];
        var code = Strings + strings.Length;
        var image = new byte[code + initializer.Length];
        byte[] identification = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identification.CopyTo(image, 0);
        UInt16(16, 3); // A shared library
        UInt16(18, 62); // for x86-64.
        UInt32(20, 1);
        Int64(32, Header);
        UInt16(52, Header);
        UInt16(54, ProgramHeader);
        UInt16(56, Programs);

        Segment(0, type: 1, flags: initializer.IsEmpty ? 6u : 7u, 0, image.Length, alignment: 4096);
        Segment(1, type: 2, flags: 6, Dynamic, DynamicSize, alignment: 8);
        // Without this entry the loader would want an executable stack.
        Segment(2, type: 0x6474e551, flags: 6, 0, 0, alignment: 16);

        // Name, names, their size, symbols, size of one, and what runs.
        (long Tag, long Value)[] entries = [(14, 1), (5, Strings), (10, strings.Length), (6, Symbols), (11, SymbolSize), (initializer.IsEmpty ? 0 : 12, code), (0, 0)];
        foreach (var (i, (tag, value)) in entries.Index())
        {
            Int64(Dynamic + (i * 16), tag);
            Int64(Dynamic + (i * 16) + 8, value);
        }

        strings.CopyTo(image, Strings);
        initializer.CopyTo(image.AsSpan(code));
        return image;

        void UInt16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);
        void UInt32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        void Int64(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(image.AsSpan(at), value);
        void Segment(int index, uint type, uint flags, long offset, long size, long alignment)
        {
            var at = Header + (index * ProgramHeader);
            UInt32(at, type);
            UInt32(at + 4, flags);
            Int64(at + 8, offset);
            Int64(at + 16, offset);
            Int64(at + 24, offset);
            Int64(at + 32, size);
            Int64(at + 40, size);
            Int64(at + 48, alignment);
        }
    }
}
