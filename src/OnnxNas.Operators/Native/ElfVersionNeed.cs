namespace OnnxNas.Operators.Native;

/// <summary>What <see cref="ElfVersionNeed.Weaken"/> found and did.</summary>
internal enum WeakenResult
{
    /// <summary>The flag was set: one bit of the image changed.</summary>
    Weakened,

    /// <summary>The flag was set before.</summary>
    AlreadyWeak,

    /// <summary>The library does not name the version.</summary>
    NoSuchVersion,

    /// <summary>The library takes a symbol of that version, so it is really needed and nothing was changed.</summary>
    InUse,
}

/// <summary>Versions of other libraries' symbols that an ELF shared library names in <c>.gnu.version_r</c> (System V ABI, GNU extension).</summary>
internal static class ElfVersionNeed
{
    private const ushort Weak = 2;
    private const int NeedSize = 16;
    private const int AuxiliarySize = 16;

    /// <summary>
    /// Sets the weak flag on a needed version, so that the loader accepts a library without it. Only when no relocation refers to
    /// a symbol of that version: otherwise the process would fail later, at the first use of the symbol.
    /// </summary>
    /// <exception cref="InvalidDataException">The image is not a whole 64-bit little-endian ELF library.</exception>
    public static WeakenResult Weaken(Span<byte> image, string version)
    {
        var elf = new ElfImage(image);
        if (Find(elf, version) is not { } entry)
        {
            return WeakenResult.NoSuchVersion;
        }

        var flags = elf.UInt16(entry + 4);
        if ((flags & Weak) != 0)
        {
            return WeakenResult.AlreadyWeak;
        }

        if (IsInUse(elf, elf.UInt16(entry + 6)))
        {
            return WeakenResult.InUse;
        }

        image[(int)entry + 4] |= (byte)Weak;
        return WeakenResult.Weakened;
    }

    /// <summary>The offset of the version's auxiliary entry in the image.</summary>
    private static long? Find(ElfImage elf, string version)
    {
        foreach (var section in elf.Sections.Where(s => s.Type == ElfSection.VersionNeeds))
        {
            var names = elf.Section(section.Link);
            var need = section.Offset;
            // A damaged count is no reason to go round forever: the chain also ends at the section, and at an entry without a next.
            for (var i = 0u; i < section.Info; i++)
            {
                section.Require(need, NeedSize);
                var auxiliary = need + elf.UInt32(need + 8);
                for (var j = elf.UInt16(need + 2); j > 0; j--)
                {
                    section.Require(auxiliary, AuxiliarySize);
                    if (elf.StringEquals(names, elf.UInt32(auxiliary + 8), version))
                    {
                        return auxiliary;
                    }

                    auxiliary += elf.UInt32(auxiliary + 12);
                }

                if (elf.UInt32(need + 12) is not (> 0 and var next))
                {
                    break;
                }

                need += next;
            }
        }

        return null;
    }

    private static bool IsInUse(ElfImage elf, ushort versionIndex)
    {
        var versions = elf.Sections.FirstOrDefault(s => s.Type == ElfSection.SymbolVersions)
            ?? throw new InvalidDataException("versions are needed but the section .gnu.version is missing");
        foreach (var section in elf.Sections.Where(s => s.Link == versions.Link))
        {
            var size = section.Type switch
            {
                ElfSection.RelocationsWithAddend => 24,
                ElfSection.Relocations => 16,
                _ => 0,
            };
            for (var at = section.Offset; size > 0 && at + size <= section.Offset + section.Size; at += size)
            {
                var symbol = elf.UInt32(at + 12);
                var symbolVersion = versions.Offset + (2L * symbol);
                versions.Require(symbolVersion, 2);
                // The top bit only says that the symbol is hidden.
                if ((elf.UInt16(symbolVersion) & 0x7fff) == (versionIndex & 0x7fff))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
