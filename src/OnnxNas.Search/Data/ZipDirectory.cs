using System.Buffers.Binary;
using System.Text;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>A member of a zip file: where its local header starts and how its bytes are kept.</summary>
internal sealed record ZipMember(string Name, bool Deflated, uint Crc, long PackedSize, long Size, long HeaderOffset);

/// <summary>
/// The central directory of a zip file, zip64 included (PKWARE's APPNOTE 6.3). The framework's reader does not tell where a member's
/// bytes lie, which reading in place needs. Names are keys only; no path is ever made of one.
/// </summary>
internal static class ZipDirectory
{
    private const uint EndSignature = 0x06054b50;
    private const uint Zip64LocatorSignature = 0x07064b50;
    private const uint Zip64EndSignature = 0x06064b50;
    private const uint MemberSignature = 0x02014b50;
    private const uint LocalSignature = 0x04034b50;
    private const int EndSize = 22;
    private const int MemberSize = 46;
    private const int LocalSize = 30;

    // Of some hundred thousand arrays.
    private const long LargestDirectory = 32 << 20;

    // Deflate packs at most 1032 bytes into one; a member that claims more is no honest one.
    private const long DeflateLimit = 1032;

    /// <summary>Lists the members in the directory's order.</summary>
    /// <exception cref="DataException">The file is no zip file, is damaged, or uses what .npz files never do.</exception>
    public static IReadOnlyList<ZipMember> Read(ByteSource file, string path)
    {
        var (offset, size) = Locate(file, path);
        if (size > LargestDirectory)
            throw Damaged(path, $"its directory claims {size} bytes");
        var directory = new byte[size];
        file.Read(offset, directory);
        var members = new List<ZipMember>();
        var rest = directory.AsSpan();
        while (rest.Length > 0)
        {
            if (rest.Length < MemberSize || BinaryPrimitives.ReadUInt32LittleEndian(rest) != MemberSignature)
                throw Damaged(path, "its directory is broken");
            var (nameSize, extraSize, commentSize) = (U16(rest, 28), U16(rest, 30), U16(rest, 32));
            var total = MemberSize + nameSize + extraSize + commentSize;
            if (rest.Length < total)
                throw Damaged(path, "its directory is broken");
            members.Add(Member(rest[..(total - commentSize)], nameSize, path));
            rest = rest[total..];
        }

        CheckRanges(members, offset, path);
        return members;
    }

    /// <summary>Where a member's bytes start.</summary>
    /// <exception cref="DataException">They would pass the end of the file.</exception>
    public static long DataOffset(ByteSource file, ZipMember member, string path)
    {
        Span<byte> local = stackalloc byte[LocalSize];
        if (member.HeaderOffset > file.Length - LocalSize)
            throw Damaged(path, $"'{Printable.Text(member.Name)}' starts past its end");
        file.Read(member.HeaderOffset, local);
        if (BinaryPrimitives.ReadUInt32LittleEndian(local) != LocalSignature)
            throw Damaged(path, $"'{Printable.Text(member.Name)}' has no header");
        var offset = member.HeaderOffset + LocalSize + U16(local, 26) + U16(local, 28);
        return offset <= file.Length - member.PackedSize ? offset : throw Damaged(path, $"'{Printable.Text(member.Name)}' passes its end");
    }

    private static (long Offset, long Size) Locate(ByteSource file, string path)
    {
        if (file.Length < EndSize)
            throw NoZip(path);
        // The end record is followed by a comment of at most 65535 bytes.
        var tail = new byte[Math.Min(file.Length, EndSize + ushort.MaxValue)];
        var tailOffset = file.Length - tail.Length;
        file.Read(tailOffset, tail);
        var at = tail.Length - EndSize;
        while (at >= 0 && !(U32(tail, at) == EndSignature && at + EndSize + U16(tail, at + 20) == tail.Length))
            at--;
        if (at < 0)
            throw NoZip(path);
        long size = U32(tail, at + 12);
        long offset = U32(tail, at + 16);
        var end = tailOffset + at;
        if (at >= 20 && U32(tail, at - 20) == Zip64LocatorSignature)
        {
            end = I64(tail, at - 12);
            Span<byte> record = stackalloc byte[56];
            if (end < 0 || end > file.Length - record.Length)
                throw Damaged(path, "its zip64 record is missing");
            file.Read(end, record);
            if (U32(record, 0) != Zip64EndSignature)
                throw Damaged(path, "its zip64 record is missing");
            (size, offset) = (I64(record, 40), I64(record, 48));
        }

        if (offset < 0 || size < 0 || offset > end || size > end - offset)
            throw Damaged(path, "its directory lies outside of it");
        return (offset, size);
    }

    private static ZipMember Member(ReadOnlySpan<byte> record, int nameSize, string path)
    {
        var name = Encoding.UTF8.GetString(record.Slice(MemberSize, nameSize));
        var method = U16(record, 10);
        if ((U16(record, 8) & 1) != 0)
            throw new DataException($"'{Printable.Text(name)}' in '{path}' is encrypted; write the file without a password.");
        if (method is not (0 or 8))
            throw new DataException($"'{Printable.Text(name)}' in '{path}' is packed by method {method}; only stored and deflated arrays can be read.");
        long packed = U32(record, 20), size = U32(record, 24), offset = U32(record, 42);
        Widen(record[(MemberSize + nameSize)..], ref size, ref packed, ref offset);
        var member = new ZipMember(name, method == 8, U32(record, 16), packed, size, offset);
        var honest = packed >= 0 && size >= 0 && offset >= 0 && (member.Deflated ? size / DeflateLimit <= packed : size == packed);
        return honest ? member : throw Damaged(path, $"'{Printable.Text(name)}' claims {size} bytes packed into {packed}");
    }

    // Zip64 keeps, in this order, those of the three numbers whose own field is all ones.
    private static void Widen(ReadOnlySpan<byte> extra, ref long size, ref long packed, ref long offset)
    {
        while (extra.Length >= 4)
        {
            var length = Math.Min(U16(extra, 2), extra.Length - 4);
            if (U16(extra, 0) == 1)
            {
                var field = extra.Slice(4, length);
                Next(ref field, ref size);
                Next(ref field, ref packed);
                Next(ref field, ref offset);
                return;
            }

            extra = extra[(4 + length)..];
        }

        static void Next(ref ReadOnlySpan<byte> field, ref long number)
        {
            if (number != uint.MaxValue || field.Length < 8)
                return;
            number = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }

    // Members that share bytes are how a small file is made to unpack to a huge one.
    private static void CheckRanges(IEnumerable<ZipMember> members, long directory, string path)
    {
        long end = 0;
        foreach (var member in members.OrderBy(m => m.HeaderOffset))
        {
            if (member.HeaderOffset < end)
                throw Damaged(path, $"'{Printable.Text(member.Name)}' overlaps another array");
            if (member.HeaderOffset > directory - LocalSize || member.PackedSize > directory - LocalSize - member.HeaderOffset)
                throw Damaged(path, $"'{Printable.Text(member.Name)}' passes its end");
            end = member.HeaderOffset + LocalSize + member.PackedSize;
        }
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static DataException NoZip(string path) => new($"'{path}' is no .npz file, or is cut short; write it with numpy.savez.");

    private static DataException Damaged(string path, string what) => new($"'{path}' is damaged: {what}. Write the file again.");
}
