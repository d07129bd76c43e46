using System.IO.MemoryMappedFiles;

namespace OnnxNas.Search.Data;

/// <summary>Bytes that can be read anywhere: of a mapped file, or in memory.</summary>
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

/// <summary>A file mapped into memory: the system loads what is read, and drops it again as it needs room. Owns the file.</summary>
internal sealed class MappedBytes : ByteSource
{
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;

    /// <summary>Maps an open file of at least one byte, for reading.</summary>
    public MappedBytes(FileStream file)
    {
        Length = file.Length;
        map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        view = map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
    }

    public override long Length { get; }

    public override void Read(long offset, Span<byte> destination)
    {
        // The view ends at a page boundary, so the file's own end is checked here.
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        view.SafeMemoryMappedViewHandle.ReadSpan((ulong)offset, destination);
    }

    /// <summary>A part of the file as a stream.</summary>
    public Stream Stream(long offset, long length) => map.CreateViewStream(offset, length, MemoryMappedFileAccess.Read);

    public override void Dispose()
    {
        view.Dispose();
        map.Dispose();
    }
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
