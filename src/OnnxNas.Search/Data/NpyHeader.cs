using System.Buffers.Binary;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// The head of an .npy file, format 1.0 to 3.0: a magic string, a version, a length, and a Python dict literal with the keys
/// <c>descr</c>, <c>fortran_order</c> and <c>shape</c>.
/// </summary>
internal sealed record NpyHeader(ElementType Type, bool BigEndian, bool FortranOrder, IReadOnlyList<long> Dims, long DataOffset)
{
    /// <summary>The longest head that is read.</summary>
    public const int Longest = LongestDict + 12;

    // NumPy itself refuses headers above 10,000 characters unless told otherwise.
    private const int LongestDict = 1 << 16;

    /// <summary>Reads the head of an array.</summary>
    /// <param name="source">The array, or as much of its start as a head may take.</param>
    /// <param name="size">The bytes of the array, its head included.</param>
    /// <param name="description">The array in messages.</param>
    /// <exception cref="DataException">It is no such array, of a type that cannot be used, or of another length than it promises.</exception>
    public static NpyHeader Read(ByteSource source, long size, string description)
    {
        Span<byte> start = stackalloc byte[12];
        start.Clear();
        source.Read(0, start[..(int)Math.Min(start.Length, source.Length)]);
        if (start[0] != 0x93 || !start[1..].StartsWith("NUMPY"u8))
            throw new DataException($"The {description} is not in .npy format; write it with numpy.savez.");
        var (prefix, length) = start[6] switch
        {
            1 => (10, BinaryPrimitives.ReadUInt16LittleEndian(start[8..])),
            2 or 3 => (12, BinaryPrimitives.ReadUInt32LittleEndian(start[8..])),
            var version => throw new DataException($"The {description} is in .npy format {version}.{start[7]}; formats 1.0 to 3.0 can be read."),
        };
        if (length > LongestDict || prefix + length > size || prefix + length > source.Length)
            throw new DataException($"The {description} is damaged: its header claims {length} bytes of {size}. Write the file again.");
        var text = new byte[length];
        source.Read(prefix, text);
        return Parse(text, description).At(prefix + length, size, description);
    }

    private static NpyHeader Parse(byte[] text, string description)
    {
        var dict = NpyDict.Parse(text, description);
        var (type, bigEndian) = Descr(dict.Descr)
            ?? throw new DataException($"The {description} has elements of type '{dict.Descr}'; floats, integers and bools can be used (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1).");
        return new(type, bigEndian, dict.FortranOrder && dict.Shape.Count > 1, dict.Shape, 0);
    }

    private static (ElementType Type, bool BigEndian)? Descr(string descr)
    {
        if (descr.Length != 3)
            return null;
        ElementType? type = descr[1..] switch
        {
            "f2" => ElementType.Float16,
            "f4" => ElementType.Float32,
            "f8" => ElementType.Float64,
            "i1" => ElementType.Int8,
            "i2" => ElementType.Int16,
            "i4" => ElementType.Int32,
            "i8" => ElementType.Int64,
            "u1" => ElementType.UInt8,
            "u2" => ElementType.UInt16,
            "u4" => ElementType.UInt32,
            "u8" => ElementType.UInt64,
            "b1" => ElementType.Bool,
            _ => null,
        };
        // '|' says that byte order does not apply.
        return type is { } known && (descr[0] is '<' or '>' || descr[0] == '|' && known.BitWidth() == 8)
            ? (known, descr[0] == '>' && known.BitWidth() > 8)
            : null;
    }

    private NpyHeader At(long offset, long length, string description)
    {
        try
        {
            var promised = Dims.Aggregate((long)Type.BitWidth() / 8, (a, b) => checked(a * b));
            if (promised == length - offset)
                return this with { DataOffset = offset };
            throw new DataException($"The {description} is damaged: its header promises {promised} bytes, it holds {length - offset}. Write the file again.");
        }
        catch (OverflowException)
        {
            throw new DataException($"The {description} is damaged: its shape [{string.Join(',', Dims)}] is larger than any file. Write the file again.");
        }
    }
}
