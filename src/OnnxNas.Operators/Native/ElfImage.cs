using System.Buffers.Binary;
using System.Text;

namespace OnnxNas.Operators.Native;

/// <summary>A section header of an ELF image. Offsets count from the start of the image.</summary>
internal sealed record ElfSection(uint Type, long Offset, long Size, uint Link, uint Info)
{
    public const uint RelocationsWithAddend = 4;
    public const uint Relocations = 9;
    public const uint VersionNeeds = 0x6ffffffe;
    public const uint SymbolVersions = 0x6fffffff;
    public const uint WithoutContent = 8;
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
        if (image.Length < HeaderSize || !image.StartsWith("\x7f"u8) || !image[1..].StartsWith("ELF"u8) || image[4] != 2 || image[5] != 1)
        {
            throw new InvalidDataException($"{image.Length} bytes that are not a 64-bit little-endian ELF file");
        }

        var table = Int64(40);
        int entrySize = UInt16(58), count = UInt16(60);
        if (count == 0 || entrySize != SectionHeaderSize)
        {
            throw new InvalidDataException($"{count} section headers of {entrySize} bytes, expected at least one of {SectionHeaderSize}");
        }

        Sections = new ElfSection[count];
        for (var i = 0; i < count; i++)
        {
            var at = table + ((long)i * SectionHeaderSize);
            Check(at, SectionHeaderSize);
            Sections[i] = new(UInt32(at + 4), Int64(at + 24), Int64(at + 32), UInt32(at + 40), UInt32(at + 44));
            if (Sections[i].Type != ElfSection.WithoutContent)
            {
                Check(Sections[i].Offset, Sections[i].Size);
            }
        }
    }

    public ElfSection[] Sections { get; }

    public ElfSection Section(uint index) => index < Sections.Length
        ? Sections[index]
        : throw new InvalidDataException($"section {index} is named, but there are {Sections.Length}");

    public ushort UInt16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(at, 2));

    public uint UInt32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(at, 4));

    private long Int64(long at) => BinaryPrimitives.ReadInt64LittleEndian(Bytes(at, 8));

    /// <summary>Whether the zero-terminated string at an offset of a string table is this one.</summary>
    public bool StringEquals(ElfSection table, uint offset, string text)
    {
        var expected = Encoding.UTF8.GetBytes(text + '\0');
        return offset + expected.Length <= table.Size && Bytes(table.Offset + offset, expected.Length).SequenceEqual(expected);
    }

    /// <exception cref="InvalidDataException">The bytes do not lie in the section.</exception>
    public static void Require(ElfSection section, long at, int size)
    {
        if (at < section.Offset || at + size > section.Offset + section.Size)
        {
            throw new InvalidDataException($"an entry at {at} lies outside its section at {section.Offset} of {section.Size} bytes");
        }
    }

    private ReadOnlySpan<byte> Bytes(long at, int size)
    {
        Check(at, size);
        return image.Slice((int)at, size);
    }

    private void Check(long at, long size)
    {
        if (at < 0 || size < 0 || at > image.Length - size)
        {
            throw new InvalidDataException($"{size} bytes at {at} are named, but the file ends at {image.Length}");
        }
    }
}
