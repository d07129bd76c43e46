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
/// Facts about a path or an open file, found without opening it where opening could block. .NET tells neither pipes from files nor how many names a file has, so the
/// operating system is asked. Two that are equal are of one file that was not written to in between, as far as its size and its time of writing tell.
/// </summary>
internal readonly partial record struct FileFacts(FileKind Kind, ulong Links, ulong Device, ulong Identity, long Size, long Seconds, long Ticks)
{
    private const int StatSize = 512; // More than any struct stat or statx.

    /// <summary>The facts of the path itself, links not followed; null where nothing is there.</summary>
    /// <exception cref="PlatformNotSupportedException">The system is none of Windows, Linux, macOS.</exception>
    public static FileFacts? Of(string path)
    {
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
            return null;
        if (OperatingSystem.IsWindows())
            return OfWindows(path);
        Span<byte> stat = stackalloc byte[StatSize];
        stat.Clear();
        var result = OperatingSystem.IsLinux() ? StatX(CurrentFolder, path, NoFollow, BasicStats, stat) : IsOldMac ? LStatX64(path, stat) : LStat(path, stat);
        return result == 0 ? OfStat(stat) : null;
    }

    /// <summary>The facts of what a path leads to.</summary>
    /// <exception cref="IOException">It leads to nothing that can be seen; the message says why.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is none of Windows, Linux, macOS.</exception>
    public static FileFacts OfTarget(string path)
    {
        if (OperatingSystem.IsWindows())
            return File.Exists(path) ? OfWindows(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) : throw new FileNotFoundException(Directory.Exists(path) ? "It is a folder." : "There is no such file.");
        Span<byte> stat = stackalloc byte[StatSize];
        stat.Clear();
        var result = OperatingSystem.IsLinux() ? StatX(CurrentFolder, path, 0, BasicStats, stat) : IsOldMac ? StatX64(path, stat) : Stat(path, stat);
        return result == 0 ? OfStat(stat) : throw LastError();
    }

    /// <summary>The facts of an open file.</summary>
    /// <exception cref="IOException">The system does not tell them.</exception>
    public static FileFacts Of(SafeFileHandle file)
    {
        Span<byte> stat = stackalloc byte[StatSize];
        stat.Clear();
        if (OperatingSystem.IsWindows())
            return GetFileInformationByHandle(file, stat) ? OfInformation(stat) : throw LastError();
        var result = OperatingSystem.IsLinux() ? FStatX(file, "", EmptyPath, BasicStats, stat) : IsOldMac ? FStatX64(file, stat) : FStat(file, stat);
        return result == 0 ? OfStat(stat) : throw LastError();
    }

    /// <summary>Opens a file for reading. What would block, such as a pipe that nobody writes to, is opened at once.</summary>
    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    /// <exception cref="UnauthorizedAccessException">Windows only: the user may not read it.</exception>
    public static SafeFileHandle Open(string path)
    {
        if (OperatingSystem.IsWindows())
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var file = Open(path, OperatingSystem.IsLinux() ? LinuxNonBlocking : MacNonBlocking);
        return file >= 0 ? new SafeFileHandle(file, ownsHandle: true) : throw LastError();
    }

    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;

    // Read-only, non-blocking and closed in child processes.
    private const int LinuxNonBlocking = 0x80800;
    private const int MacNonBlocking = 0x1000004;

    private static bool IsOldMac => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private static IOException LastError() => new(Marshal.GetLastPInvokeErrorMessage() + ".");

    private static FileFacts OfStat(ReadOnlySpan<byte> stat) => OperatingSystem.IsLinux() ? OfStatX(stat)
        : OperatingSystem.IsMacOS() ? OfMacStat(stat) : throw new PlatformNotSupportedException("Files are read on Windows, Linux and macOS only.");

    private static FileFacts OfStatX(ReadOnlySpan<byte> stat) => new(
        KindOf(MemoryMarshal.Read<ushort>(stat[28..])),
        MemoryMarshal.Read<uint>(stat[16..]),
        MemoryMarshal.Read<ulong>(stat[136..]),
        MemoryMarshal.Read<ulong>(stat[32..]),
        MemoryMarshal.Read<long>(stat[40..]),
        MemoryMarshal.Read<long>(stat[112..]),
        MemoryMarshal.Read<uint>(stat[120..]));

    private static FileFacts OfMacStat(ReadOnlySpan<byte> stat) => new(
        KindOf(MemoryMarshal.Read<ushort>(stat[4..])),
        MemoryMarshal.Read<ushort>(stat[6..]),
        MemoryMarshal.Read<uint>(stat),
        MemoryMarshal.Read<ulong>(stat[8..]),
        MemoryMarshal.Read<long>(stat[96..]),
        MemoryMarshal.Read<long>(stat[48..]),
        MemoryMarshal.Read<long>(stat[56..]));

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
            return new(FileKind.Link, 1, 0, 0, 0, 0, 0);
        if (attributes.HasFlag(FileAttributes.Directory))
            return new(FileKind.Folder, 1, 0, 0, 0, 0, 0);
        if (attributes.HasFlag(FileAttributes.Device))
            return new(FileKind.Other, 1, 0, 0, 0, 0, 0);
        using var handle = Open(path);
        Span<byte> information = stackalloc byte[StatSize];
        return GetFileInformationByHandle(handle, information) ? OfInformation(information) : new(FileKind.Other, 1, 0, 0, 0, 0, 0);
    }

    private static FileFacts OfInformation(ReadOnlySpan<byte> information) => new(
        FileKind.Plain,
        MemoryMarshal.Read<uint>(information[40..]),
        MemoryMarshal.Read<uint>(information[28..]),
        MemoryMarshal.Read<ulong>(information[44..]),
        ((long)MemoryMarshal.Read<uint>(information[32..]) << 32) | MemoryMarshal.Read<uint>(information[36..]),
        0,
        MemoryMarshal.Read<long>(information[20..]));

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int FStatX(SafeFileHandle file, string path, int flags, uint mask, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStatX64(string path, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Stat(string path, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX64(string path, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static partial int FStat(SafeFileHandle file, Span<byte> stat);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int FStatX64(SafeFileHandle file, Span<byte> stat);

    [LibraryImport("kernel32", EntryPoint = "GetFileInformationByHandle", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetFileInformationByHandle(SafeFileHandle file, Span<byte> information);
}
