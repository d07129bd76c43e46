using System.IO.Compression;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Search.Data;

/// <summary>The .npz format: a zip file of arrays in .npy format, as NumPy's savez and savez_compressed write it.</summary>
public sealed class NpzReader : IDatasetReader
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Extensions => [".npz"];

    /// <inheritdoc/>
    public ArrayFile Open(string path) => new NpzFile(path);
}

/// <summary>
/// An open .npz file. Arrays that are small are held in memory. Large ones are read where they lie, and may be larger than memory; if they are deflated or in Fortran order,
/// they are first unpacked to a temporary file. Nothing is unpacked before it is read, and nothing whose head and directory disagree.
/// </summary>
public sealed class NpzFile : ArrayFile
{
    private const string Suffix = ".npy";
    private const long SmallSize = 64 << 20;
    private const long SmallTotal = 256 << 20;

    private readonly string path;
    private readonly FileBytes file;
    private readonly OrderedDictionary<string, ZipMember> members = [];
    private readonly Dictionary<string, NpyArray> opened = new(StringComparer.Ordinal);
    private readonly List<ByteSource> owned = [];
    private long inMemory;

    /// <summary>Opens a file and reads its directory.</summary>
    /// <exception cref="DataException">The file cannot be read, is no zip file or is damaged.</exception>
    public NpzFile(string path)
    {
        this.path = path;
        try
        {
            file = new(InputFile.Open(path));
        }
        catch (IOException e)
        {
            throw new DataException($"'{path}' cannot be read: {e.Message}", e);
        }

        try
        {
            if (file.Length == 0)
                throw new DataException($"'{path}' is empty; write it with numpy.savez.");
            foreach (var member in ZipDirectory.Read(file, path).Where(m => m.Name.EndsWith(Suffix, StringComparison.Ordinal)))
            {
                var name = member.Name[..^Suffix.Length];
                if (!members.TryAdd(name, member))
                    throw new DataException($"'{path}' holds two arrays named '{Printable.Text(name)}'; names must be unique.");
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => members.Keys;

    /// <inheritdoc/>
    public override SampleArray Open(string name)
    {
        if (opened.TryGetValue(name, out var array))
            return array;
        if (!members.TryGetValue(name, out var member))
            throw new DataException($"'{path}' has no array '{Printable.Text(name)}'; it holds {Printable.List(Names)}.");
        var (description, packed) = ($"array '{Printable.Text(name)}' of '{path}'", new ByteSlice(file, ZipDirectory.DataOffset(file, member, path), member.PackedSize));
        using var start = Start(packed, member);
        var header = NpyHeader.Read(start, member.Size, description);
        return opened[name] = new(header, new(() => Elements(packed, member, header)), description);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var source in owned)
            source.Dispose();
        file.Dispose();
    }

    // As much of an array as its head may take.
    private MemoryBytes Start(ByteSlice packed, ZipMember member)
    {
        var start = new byte[Math.Min(member.Size, NpyHeader.Longest)];
        if (!member.Deflated)
            packed.Read(0, start);
        else if (Guard(member, () => Unpacking(packed).ReadAtLeast(start, start.Length, throwOnEndOfStream: false)) < start.Length)
            throw Damaged(member);
        return new(start);
    }

    // The elements of an array in C order.
    private ByteSource Elements(ByteSlice packed, ZipMember member, NpyHeader header)
    {
        var size = member.Size - header.DataOffset;
        if (!member.Deflated && !header.FortranOrder)
            return Kept(size, member, target => new ByteStream(new ByteSlice(packed, header.DataOffset, size)).CopyTo(target), new ByteSlice(packed, header.DataOffset, size));
        if (!member.Deflated)
            return Kept(size, member, target => Unroll(new ByteSlice(packed, header.DataOffset, size), header, target));
        if (!header.FortranOrder)
            return Kept(size, member, target => Unpack(packed, member, header.DataOffset, target));
        using var unpacked = Hold(size, member, target => Unpack(packed, member, header.DataOffset, target));
        return Kept(size, member, target => Unroll(unpacked, header, target));
    }

    private ByteSource Kept(long size, ZipMember member, Action<Stream> write, ByteSource? inPlace = null)
    {
        var source = inPlace is not null && !IsSmall(size) ? inPlace : Hold(size, member, write);
        if (source is MemoryBytes)
            Interlocked.Add(ref inMemory, size);
        lock (owned)
            owned.Add(source);
        return source;
    }

    // In memory, or else in a temporary file.
    private ByteSource Hold(long size, ZipMember member, Action<Stream> write) => Guard<ByteSource>(member, () =>
    {
        if (!IsSmall(size))
            return TemporaryBytes.Write(size, write);
        var bytes = new byte[size];
        write(new MemoryStream(bytes));
        return new MemoryBytes(bytes);
    });

    private bool IsSmall(long size) => size <= SmallSize && Interlocked.Read(ref inMemory) + size <= SmallTotal;

    private static void Unroll(ByteSource source, NpyHeader header, Stream target) => FortranOrder.Unroll(source, header.Dims, header.Type.BitWidth() / 8, target);

    private static DeflateStream Unpacking(ByteSource packed) => new(new ByteStream(packed), CompressionMode.Decompress);

    // Never writes more than the directory says, whatever the packed bytes hold.
    private void Unpack(ByteSource packed, ZipMember member, long skipped, Stream target)
    {
        using var unpacking = Unpacking(packed);
        var buffer = new byte[1 << 16];
        var (done, crc) = (0L, 0u);
        while (unpacking.Read(buffer) is > 0 and var read)
        {
            crc = Crc32.Append(crc, buffer.AsSpan(0, read));
            if (done + read > member.Size)
                throw Damaged(member);
            var from = (int)Math.Clamp(skipped - done, 0, read);
            target.Write(buffer, from, read - from);
            done += read;
        }

        if (done != member.Size || crc != member.Crc)
            throw Damaged(member);
    }

    private T Guard<T>(ZipMember member, Func<T> unpack)
    {
        try
        {
            return unpack();
        }
        catch (InvalidDataException e)
        {
            throw Damaged(member, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"'{Printable.Text(member.Name)}' in '{path}' cannot be unpacked to '{Path.GetTempPath()}': {e.Message} Make room there, or write the file with numpy.savez, which does not pack, and in C order.", e);
        }
    }

    private DataException Damaged(ZipMember member, Exception? inner = null) =>
        new($"'{Printable.Text(member.Name)}' in '{path}' is damaged: it does not unpack to what the directory says. Write the file again.", inner);
}
