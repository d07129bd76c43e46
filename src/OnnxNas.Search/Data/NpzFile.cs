using System.IO.Compression;
using OnnxNas.Ir;

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
/// An open .npz file. Stored arrays are mapped where they lie and may be larger than memory. Deflated ones are unpacked on first use:
/// small ones to memory, others to a temporary file that is mapped, and deleted on closing.
/// </summary>
public sealed class NpzFile : ArrayFile
{
    private const string Suffix = ".npy";
    private const long SmallSize = 64 << 20;

    private readonly string path;
    private readonly MappedBytes file;
    private readonly OrderedDictionary<string, ZipMember> members = [];
    private readonly Dictionary<string, NpyArray> opened = new(StringComparer.Ordinal);
    private readonly List<ByteSource> unpacked = [];

    /// <summary>Opens a file and reads its directory.</summary>
    /// <exception cref="DataException">The file cannot be read, is no zip file or is damaged.</exception>
    public NpzFile(string path)
    {
        this.path = path;
        file = Map(path);
        try
        {
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
        array = NpyArray.Read(Bytes(member), $"array '{Printable.Text(name)}' of '{path}'");
        return opened[name] = array;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var source in unpacked)
            source.Dispose();
        file.Dispose();
    }

    private static MappedBytes Map(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > 0)
                return new MappedBytes(stream);
            stream.Dispose();
            throw new DataException($"'{path}' is empty; write it with numpy.savez.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new DataException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    private ByteSource Bytes(ZipMember member)
    {
        var offset = ZipDirectory.DataOffset(file, member, path);
        if (!member.Deflated)
            return new ByteSlice(file, offset, member.Size);
        try
        {
            using var packed = new DeflateStream(file.Stream(offset, member.PackedSize), CompressionMode.Decompress);
            ByteSource source = member.Size <= SmallSize ? ToMemory(packed, member) : ToFile(packed, member);
            unpacked.Add(source);
            return source;
        }
        catch (InvalidDataException e)
        {
            throw Damaged(member, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"'{Printable.Text(member.Name)}' in '{path}' cannot be unpacked to '{Path.GetTempPath()}': {e.Message}", e);
        }
    }

    private MemoryBytes ToMemory(Stream packed, ZipMember member)
    {
        var bytes = new byte[member.Size];
        Unpack(packed, new MemoryStream(bytes), member);
        return new MemoryBytes(bytes);
    }

    private MappedBytes ToFile(Stream packed, ZipMember member)
    {
        var folder = Path.GetTempPath();
        if (new DriveInfo(folder).AvailableFreeSpace is var free && free < member.Size)
            throw new DataException($"'{Printable.Text(member.Name)}' in '{path}' unpacks to {member.Size} bytes, '{folder}' has room for {free}; write the file with numpy.savez, which does not pack.");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var target = new FileStream(Path.Combine(folder, $"onnxnas-{Guid.NewGuid():N}.npy"), options);
        try
        {
            Unpack(packed, target, member);
            target.Flush();
            return new MappedBytes(target);
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    // Never writes more than the directory says, whatever the packed bytes hold.
    private void Unpack(Stream packed, Stream target, ZipMember member)
    {
        var buffer = new byte[1 << 16];
        var (left, crc) = (member.Size, 0u);
        while (packed.Read(buffer) is > 0 and var read)
        {
            left -= read;
            if (left < 0)
                throw Damaged(member);
            crc = Crc32.Append(crc, buffer.AsSpan(0, read));
            target.Write(buffer, 0, read);
        }

        if (left != 0 || crc != member.Crc)
            throw Damaged(member);
    }

    private DataException Damaged(ZipMember member, Exception? inner = null) =>
        new($"'{Printable.Text(member.Name)}' in '{path}' is damaged: it does not unpack to what the directory says. Write the file again.", inner);
}
