using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace OnnxNas.Ir.Serialization;

/// <summary>A file mapped into memory, read-only, when a part of it is first wanted.</summary>
internal sealed class MappedFile
{
    // A span over mapped memory does not keep its owner alive, and reading through it after the mapping is gone kills
    // the process. So a mapping stays until the process ends; it costs address space, no memory of its own.
    private static readonly List<MemoryMappedViewAccessor> Kept = [];
    private readonly string path;
    private readonly FileFacts facts;
    private readonly Lazy<MemoryMappedViewAccessor> view;

    public MappedFile(string path, FileFacts facts)
    {
        (this.path, this.facts) = (path, facts);
        Length = new FileInfo(path).Length;
        view = new(Map);
    }

    /// <summary>The file's size when it was checked.</summary>
    public long Length { get; }

    /// <summary>A range of the file, which has been checked against <see cref="Length"/>.</summary>
    public ReadOnlyMemory<byte> Slice(long offset, int length) => length == 0 ? default : new Range(view.Value.SafeMemoryMappedViewHandle, offset, length).Memory;

    private MemoryMappedViewAccessor Map()
    {
        try
        {
            RequireUnchanged(Length); // Before, since opening a pipe blocks; and after, since only then it stays.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            RequireUnchanged(stream.Length);
            using var map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            var accessor = map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
            lock (Kept)
                Kept.Add(accessor);
            return accessor;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    private void RequireUnchanged(long length)
    {
        if (FileFacts.Of(path) != facts || length != Length)
            throw new ModelFormatException($"'{path}' has changed since the model was read. Read the model again.");
    }

    private sealed class Range(SafeMemoryMappedViewHandle view, long offset, int length) : MemoryManager<byte>
    {
        public override unsafe Span<byte> GetSpan() => new((byte*)view.DangerousGetHandle() + offset, length);

        public override unsafe MemoryHandle Pin(int elementIndex = 0) => new((byte*)view.DangerousGetHandle() + offset + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
