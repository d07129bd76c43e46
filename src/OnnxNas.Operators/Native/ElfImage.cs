using System.Buffers.Binary;
using System.Text;

namespace OnnxNas.Operators.Native;

/// <summary>A section header of an ELF image. Offsets count from the start of the image.</summary>
internal sealed record ElfSection(uint Type, long Offset, long Size, uint Link, uint Info)
{
    public const uint RelocationsWithAddend = 4;
    public const uint WithoutContent = 8;
    public const uint Relocations = 9;
    public const uint VersionNeeds = 0x6ffffffe;
    public const uint SymbolVersions = 0x6fffffff;

    /// <exception cref="InvalidDataException">The bytes do not lie in the section.</exception>
    public void Require(long at, int size)
    {
        if (at < Offset || at + size > Offset + Size)
        {
            throw new InvalidDataException($"an entry at {at} lies outside its section at {Offset} of {Size} bytes");
        }
    }
}

/// <summary>Checked reading of a 64-bit little-endian ELF image: a damaged one gives an exception, never a wrong answer.</summary>
internal readonly ref struct ElfImage
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private readonly ReadOnlySpan<byte> image;

    /// <exception cref="InvalidDataException">The header or a section header is not sound.</exception>
    public ElfImage(ReadOnlySpan<byte> image)
    {
        this.image = image;
        var (table, count) = SectionTable(image, image.Length);
        Sections = new ElfSection[count];
        for (var i = 0; i < count; i++)
        {
            var at = table + (i * SectionHeaderSize);
            Sections[i] = new(UInt32(at + 4), Int64(at + 24), Int64(at + 32), UInt32(at + 40), UInt32(at + 44));
            if (Sections[i].Type != ElfSection.WithoutContent)
            {
                Check(Sections[i].Offset, Sections[i].Size, image.Length);
            }
        }
    }

    public ElfSection[] Sections { get; }

    /// <summary>
    /// Checks by the section headers, which come last, that a file is not cut short. The system's loader does not: it maps what
    /// is not there, and the process dies on touching it.
    /// </summary>
    /// <exception cref="InvalidDataException">It is cut short, or is no 64-bit little-endian ELF file.</exception>
    public static void RequireWhole(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> header = stackalloc byte[HeaderSize];
        var read = file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false);
        _ = SectionTable(header[..read], file.Length);
    }

    public ElfSection Section(uint index) => index < Sections.Length
        ? Sections[index]
        : throw new InvalidDataException($"section {index} is named, but there are {Sections.Length}");

    public ushort UInt16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(at, 2));

    public uint UInt32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(at, 4));

    /// <summary>Whether the zero-terminated string at an offset of a string table is this one.</summary>
    public bool StringEquals(ElfSection table, uint offset, string text)
    {
        var expected = Encoding.UTF8.GetBytes(text + '\0');
        return offset + expected.Length <= table.Size && Bytes(table.Offset + offset, expected.Length).SequenceEqual(expected);
    }

    private static (long Offset, int Count) SectionTable(ReadOnlySpan<byte> header, long fileLength)
    {
        if (header.Length < HeaderSize || !header.StartsWith("\u007fELF"u8) || header[4] != 2 || header[5] != 1)
        {
            throw new InvalidDataException($"{fileLength} bytes that are not a 64-bit little-endian ELF file");
        }

        var offset = BinaryPrimitives.ReadInt64LittleEndian(header[40..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header[58..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]);
        if (count == 0 || size != SectionHeaderSize)
        {
            throw new InvalidDataException($"{count} section headers of {size} bytes, expected at least one of {SectionHeaderSize}");
        }

        Check(offset, (long)count * size, fileLength);
        return (offset, count);
    }

    private static void Check(long at, long size, long length)
    {
        if (at < 0 || size < 0 || at > length - size)
        {
            throw new InvalidDataException($"{size} bytes at {at} are named, but the file ends at {length}");
        }
    }

    private long Int64(long at) => BinaryPrimitives.ReadInt64LittleEndian(Bytes(at, 8));

    private ReadOnlySpan<byte> Bytes(long at, int size)
    {
        Check(at, size, image.Length);
        return image.Slice((int)at, size);
    }
}
