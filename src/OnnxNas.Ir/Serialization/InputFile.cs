using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// A regular file that is read. Everything else that can stand under a name (folders, pipes, sockets, devices, links that lead nowhere) is refused without waiting for it.
/// Bytes are copied out of the file and never mapped: a file that is cut short by another program must be an error, and ends the process where it is mapped.
/// Reading is safe from several threads.
/// </summary>
public sealed class InputFile : IDisposable
{
    /// <summary>The size of JSON files that users write or that this tool writes for them, at most.</summary>
    public const long LargestJson = 16 << 20;

    private readonly SafeFileHandle handle;
    private readonly FileFacts facts;

    private InputFile(string path, SafeFileHandle handle, FileFacts facts) => (Path, this.handle, this.facts) = (path, handle, facts);

    /// <summary>The path it was opened by.</summary>
    public string Path { get; }

    /// <summary>The size in bytes.</summary>
    public long Length => facts.Size;

    /// <summary>Opens a file.</summary>
    /// <exception cref="IOException">It is no regular file, or cannot be read. The message says why, and does not name the file.</exception>
    public static InputFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
                throw new FileNotFoundException("This is no name of a file.");
            // Before it is opened, since opening a device can have effects; and after, since only then it stays what it is.
            RequireRegular(FileFacts.OfTarget(path));
            var handle = FileFacts.Open(path);
            try
            {
                var facts = FileFacts.Of(handle);
                RequireRegular(facts);
                return new(path, handle, facts);
            }
            catch
            {
                handle.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>All bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">How many it may have.</param>
    /// <exception cref="IOException">It is no regular file, cannot be read, or is larger. The message says why, and does not name the file.</exception>
    public static byte[] ReadBytes(string path, long most)
    {
        using var file = Open(path);
        if (file.Length > most)
            throw new IOException($"It has {file.Length} bytes, and at most {most} are read.");
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    /// <summary>The text of a file in UTF-8, with or without a byte order mark.</summary>
    /// <inheritdoc cref="ReadBytes"/>
    public static string ReadText(string path, long most)
    {
        using var reader = new StreamReader(new MemoryStream(ReadBytes(path, most)), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Whether an open file is the one that a path leads to now.</summary>
    public static bool IsAt(SafeFileHandle file, string path)
    {
        try
        {
            var (held, found) = (FileFacts.Of(file), FileFacts.OfTarget(path));
            return (held.Device, held.Identity) == (found.Device, found.Identity);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Copies bytes out of the file.</summary>
    /// <exception cref="IOException">They cannot be read, or the file has changed since it was opened.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(handle, destination, offset);
            if (read == 0)
                throw Changed();
            offset += read;
            destination = destination[read..];
        }

        RequireUnchanged();
    }

    /// <summary>Requires that nobody has written to the file since it was opened. A file of another that took over its name does not matter.</summary>
    /// <exception cref="IOException">Somebody has.</exception>
    public void RequireUnchanged()
    {
        var now = FileFacts.Of(handle);
        if ((now.Size, now.Seconds, now.Ticks) != (facts.Size, facts.Seconds, facts.Ticks))
            throw Changed();
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    /// <summary>Whether this is the file that had these facts, as it was then.</summary>
    internal bool Is(FileFacts known) => facts == known;

    private static void RequireRegular(FileFacts facts)
    {
        if (facts.Kind == FileKind.Folder)
            throw new IOException("It is a folder.");
        if (facts.Kind != FileKind.Plain)
            throw new IOException("It is a pipe, a socket or a device, and only regular files are read.");
    }

    private static IOException Changed() => new("Another program has changed it since it was opened.");
}
