using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Search.Data;

/// <summary>Bytes that can be read anywhere: of a file, or in memory. Reading is safe from several threads.</summary>
internal abstract class ByteSource : IDisposable
{
    public abstract long Length { get; }

    public abstract void Read(long offset, Span<byte> destination);

    public abstract void Dispose();
}

/// <summary>Bytes in memory.</summary>
internal sealed class MemoryBytes(byte[] bytes) : ByteSource
{
    public override long Length => bytes.Length;

    public override void Read(long offset, Span<byte> destination) => bytes.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);

    public override void Dispose()
    {
    }
}

/// <summary>The user's file, which nobody may write to while it is read. Owns it.</summary>
internal sealed class FileBytes(InputFile file) : ByteSource
{
    public override long Length => file.Length;

    /// <exception cref="DataException">The file cannot be read, or has changed.</exception>
    public override void Read(long offset, Span<byte> destination)
    {
        try
        {
            file.Read(offset, destination);
        }
        catch (IOException e)
        {
            throw new DataException($"'{file.Path}' cannot be read: {e.Message} Put the data back as they were, then start again, or go on with --resume where there is a checkpoint.", e);
        }
    }

    public override void Dispose() => file.Dispose();
}

/// <summary>A temporary file of one's own, which has no name any more and so goes with the process, however that ends.</summary>
internal sealed class TemporaryBytes : ByteSource
{
    private readonly FileStream file;

    private TemporaryBytes(FileStream file) => (this.file, Length) = (file, file.Length);

    public override long Length { get; }

    /// <summary>Bytes that are written once, then read.</summary>
    /// <exception cref="IOException">There is no room for them, or they cannot be written.</exception>
    public static TemporaryBytes Write(long length, Action<Stream> write)
    {
        var folder = Path.GetTempPath();
        if (new DriveInfo(folder).AvailableFreeSpace is var free && free < length)
            throw new IOException($"There is room for {free} of {length} bytes.");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.DeleteOnClose };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(Path.Combine(folder, $"onnxnas-{Guid.NewGuid():N}.npy"), options);
        try
        {
            // A process that is killed closes no file properly; elsewhere than on Windows an open file needs no name.
            if (!OperatingSystem.IsWindows())
                File.Delete(file.Name);
            write(file);
            file.Flush();
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, destination, offset);
            if (read == 0)
                throw new DataException($"The temporary file in '{Path.GetTempPath()}' is cut short.");
            offset += read;
            destination = destination[read..];
        }
    }

    public override void Dispose() => file.Dispose();
}

/// <summary>A part of another source, which it does not own.</summary>
internal sealed class ByteSlice(ByteSource whole, long start, long length) : ByteSource
{
    public override long Length => length;

    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, length - destination.Length);
        whole.Read(start + offset, destination);
    }

    public override void Dispose()
    {
    }
}

/// <summary>A source as a stream from its start to its end.</summary>
internal sealed class ByteStream(ByteSource source) : Stream
{
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => source.Length;

    public override long Position { get => position; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, source.Length - position);
        source.Read(position, buffer[..count]);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
