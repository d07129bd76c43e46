using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OnnxNas.Ir.Serialization;

/// <summary>What stands under a path.</summary>
internal enum FileKind
{
    Plain,
    Folder,
    Link,
    Other,
}

/// <summary>
/// Facts about a path itself, links not followed, found without opening it where opening could block. .NET tells
/// neither pipes from files nor how many names a file has, so the operating system is asked.
/// </summary>
internal readonly partial record struct FileFacts(FileKind Kind, ulong Links, ulong Device, ulong Identity)
{
    private const int StatSize = 512; // More than any struct stat or statx.

    /// <summary>The facts, or null where nothing is there.</summary>
    /// <exception cref="PlatformNotSupportedException">The system is none of Windows, Linux, macOS.</exception>
    public static FileFacts? Of(string path)
    {
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
            return null;
        if (OperatingSystem.IsWindows())
            return OfWindows(path);
        Span<byte> stat = stackalloc byte[StatSize];
        stat.Clear();
        if (OperatingSystem.IsLinux())
            return StatX(CurrentFolder, path, NoFollow, BasicStats, stat) == 0 ? OfStatX(stat) : null;
        if (!OperatingSystem.IsMacOS())
            throw new PlatformNotSupportedException("External data is read on Windows, Linux and macOS only.");
        var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? LStatX64(path, stat) : LStat(path, stat);
        return result == 0 ? OfMacStat(stat) : null;
    }

    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint BasicStats = 0x7ff;

    private static FileFacts OfStatX(ReadOnlySpan<byte> stat) => new(
        KindOf(MemoryMarshal.Read<ushort>(stat[28..])),
        MemoryMarshal.Read<uint>(stat[16..]),
        MemoryMarshal.Read<ulong>(stat[136..]),
        MemoryMarshal.Read<ulong>(stat[32..]));

    private static FileFacts OfMacStat(ReadOnlySpan<byte> stat) => new(
        KindOf(MemoryMarshal.Read<ushort>(stat[4..])),
        MemoryMarshal.Read<ushort>(stat[6..]),
        MemoryMarshal.Read<uint>(stat),
        MemoryMarshal.Read<ulong>(stat[8..]));

    private static FileKind KindOf(ushort mode) => (mode & 0xF000) switch
    {
        0x8000 => FileKind.Plain,
        0x4000 => FileKind.Folder,
        0xA000 => FileKind.Link,
        _ => FileKind.Other,
    };

    private static FileFacts OfWindows(string path)
    {
        var attributes = File.GetAttributes(path);
        if (attributes.HasFlag(FileAttributes.ReparsePoint))
            return new(FileKind.Link, 1, 0, 0);
        if (attributes.HasFlag(FileAttributes.Directory))
            return new(FileKind.Folder, 1, 0, 0);
        if (attributes.HasFlag(FileAttributes.Device))
            return new(FileKind.Other, 1, 0, 0);
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> information = stackalloc byte[StatSize];
        return GetFileInformationByHandle(handle, information)
            ? new(FileKind.Plain, MemoryMarshal.Read<uint>(information[40..]), MemoryMarshal.Read<uint>(information[28..]), MemoryMarshal.Read<ulong>(information[44..]))
            : new(FileKind.Other, 1, 0, 0);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStatX64(string path, Span<byte> stat);

    [LibraryImport("kernel32", EntryPoint = "GetFileInformationByHandle")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetFileInformationByHandle(SafeFileHandle file, Span<byte> information);
}
