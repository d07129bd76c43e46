using OnnxNas.Operators.Native;

namespace OnnxNas.Testing;

/// <summary>
/// Shared libraries by the names of libtorch's that end the process when they are loaded: what a machine looks like to us that has libtorch in another version.
/// A folder of them goes into LD_LIBRARY_PATH. Linux on x64 only.
/// </summary>
public static class DecoyLibraries
{
    /// <summary>What a process ends with that loads one.</summary>
    public const int ExitCode = 99;

    // exit_group(ExitCode)
    private static readonly byte[] Exit = [0xb8, 231, 0, 0, 0, 0xbf, ExitCode, 0, 0, 0, 0x0f, 0x05];

    /// <summary>The files of libtorch and TorchSharp on Linux, those of a build for CUDA included.</summary>
    public static IReadOnlyList<string> Names { get; } = ["libc10.so", "libtorch_cpu.so", "libtorch.so", "libtorch_cuda.so", "libc10_cuda.so", "libLibTorchSharp.so"];

    /// <summary>Writes them all into a folder, which is made where it is missing.</summary>
    public static void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var name in Names)
            File.WriteAllBytes(Path.Combine(folder, name), EmptyLibrary.Named(name, Exit));
    }

    /// <summary>Writes one that loads like any other, and has none of the symbols that it should.</summary>
    public static string WriteHarmless(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, EmptyLibrary.Named(name));
        return path;
    }
}
