using System.Runtime.InteropServices;

namespace OnnxNas.Operators.Native;

/// <summary>Loads libtorch and TorchSharp's bridge to it, once per process, from wherever they lie.</summary>
internal static class TorchLibraries
{
    private static readonly Lazy<Dictionary<string, nint>> LibTorch = new(LoadLibTorch);
    private static readonly Lazy<nint> BridgeHandle = new(LoadBridge);

    /// <summary>The handle of TorchSharp's native library, which needs libtorch loaded before it.</summary>
    /// <exception cref="NativeLibraryException">A library is missing or cannot be loaded.</exception>
    public static nint Bridge => BridgeHandle.Value;

    /// <summary>The handle of a library TorchSharp asks for by its bare name; 0 for one that is none of ours.</summary>
    /// <remarks>
    /// TorchSharp asks for torch_cpu first. Once all of libtorch is in the process the bridge may load in the plain way, since
    /// the system's loader knows a library that is already there by its name.
    /// </remarks>
    /// <exception cref="NativeLibraryException">A library is missing or cannot be loaded.</exception>
    public static nint Resolve(string name) =>
        name == NativePlatform.Bridge ? Bridge
        : NativePlatform.LibTorch.Contains(name) ? LibTorch.Value[name]
        : 0;

    private static Dictionary<string, nint> LoadLibTorch()
    {
        var platform = NativePlatform.Current;
        var folder = new NativeFolders(platform).LibTorch();
        var libraries = NativePlatform.LibTorch.ToDictionary(name => name, name => LoadFirst(folder, platform.FileOf(name)));
        if (OperatingSystem.IsLinux() && BuildFacts.Accelerator == "cpu")
            OccupyName(platform.FileOf("torch_cuda"));
        return libraries;
    }

    // TorchSharp looks for CUDA's half of libtorch in any build. One of another version would bind to our libtorch, and end the process.
    private static void OccupyName(string file)
    {
        var image = EmptyLibrary.Named(file);
        try
        {
            NativeLibrary.Load(PatchCache.ForUser().Store(file, image));
        }
        catch (Exception e) when (e is NativeLibraryException or DllNotFoundException or BadImageFormatException)
        {
            OccupyNameFromTemporaryFile(image);
        }
    }

    // Once it is loaded the file is not needed any more.
    private static void OccupyNameFromTemporaryFile(byte[] image)
    {
        var folder = Directory.CreateTempSubdirectory("onnxnas-");
        try
        {
            var path = Path.Combine(folder.FullName, "empty.so");
            File.WriteAllBytes(path, image);
            NativeLibrary.TryLoad(path, out _);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Two copies of libtorch in one process would take each other's symbols. On Linux a bare name gives what was loaded first by that name.
    private static nint LoadFirst(string folder, string file)
    {
        var ours = Load(Path.Combine(folder, file));
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad(file, out var first) && first != ours)
        {
            throw new NativeLibraryException(
                $"another {file} than that of {folder} is in this process already{(MappedElsewhere(folder, file) is { } other ? $": {other}" : "")}. "
                + $"Call {nameof(TorchRuntime)}.{nameof(TorchRuntime.EnsureLoaded)} before anything else loads libtorch, and take it out of LD_PRELOAD.");
        }

        return ours;
    }

    private static string? MappedElsewhere(string folder, string file) => File.ReadLines("/proc/self/maps")
        .Select(line => line.IndexOf('/') is >= 0 and var at ? line[at..] : "")
        .FirstOrDefault(path => Path.GetFileName(path) == file && Path.GetDirectoryName(path) != Path.TrimEndingDirectorySeparator(folder));

    private static nint LoadBridge()
    {
        _ = LibTorch.Value;
        var platform = NativePlatform.Current;
        var path = Path.Combine(new NativeFolders(platform).Bridge(), platform.FileOf(NativePlatform.Bridge));
        try
        {
            return LoadAsItIsOrPatched(path);
        }
        catch (NativeLibraryException) when (OperatingSystem.IsLinux())
        {
            // TorchSharp would look on for a bridge of this name, and take another one on the machine.
            OccupyName(platform.FileOf(NativePlatform.Bridge));
            throw;
        }
    }

    private static nint LoadAsItIsOrPatched(string path)
    {
        try
        {
            return Load(path);
        }
        catch (NativeLibraryException e) when (OperatingSystem.IsLinux() && e.Message.Contains(BridgePatch.Version, StringComparison.Ordinal))
        {
            return Load(BridgePatch.PatchedCopyOf(path));
        }
    }

    private static nint Load(string path)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                ElfImage.RequireWhole(path);
            }

            return NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // .NET's own first line only tells how to trace the loader; the lines after it are what the loader said.
            var lines = e.Message.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var reason = string.Join(' ', lines.Length > 1 ? lines[1..] : lines).TrimEnd('.');
            throw new NativeLibraryException($"cannot load {path}: {reason}. {Advice}", e);
        }
    }

    private static string Advice =>
        (OperatingSystem.IsLinux() ? "It needs glibc 2.34 and libstdc++.so.6 of GCC 12 or newer (Debian 12, Ubuntu 22.04). "
            : OperatingSystem.IsWindows() ? "It needs the Microsoft Visual C++ Redistributable 2022 (x64). "
            : "")
        + "If the file is damaged, delete its folder and restore again.";
}
