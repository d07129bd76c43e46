using System.Runtime.InteropServices;

namespace OnnxNas.Operators.Native;

/// <summary>The systems libtorch exists for, and what its files are called there.</summary>
/// <param name="Rid">The .NET runtime identifier.</param>
/// <param name="Prefix">What a library's file name begins with.</param>
/// <param name="Suffix">What a library's file name ends with.</param>
internal sealed record NativePlatform(string Rid, string Prefix, string Suffix)
{
    /// <summary>libtorch's libraries by their bare names, each after those it depends on.</summary>
    public static IReadOnlyList<string> LibTorch { get; } = ["c10", "torch_cpu", "torch"];

    /// <summary>The bare name of TorchSharp's own native library.</summary>
    public const string Bridge = "LibTorchSharp";

    /// <summary>The platform this process runs on.</summary>
    /// <exception cref="NativeLibraryException">libtorch does not exist for it.</exception>
    public static NativePlatform Current =>
        Of(RuntimeInformation.RuntimeIdentifier, RuntimeInformation.ProcessArchitecture);

    /// <summary>The platform of a runtime identifier such as <c>linux-x64</c>, <c>linux-musl-x64</c> or <c>debian.12-x64</c>.</summary>
    /// <exception cref="NativeLibraryException">libtorch does not exist for it.</exception>
    public static NativePlatform Of(string runtimeIdentifier, Architecture architecture)
    {
        bool Is(string prefix) => runtimeIdentifier.StartsWith(prefix, StringComparison.Ordinal);
        var musl = runtimeIdentifier.Contains("musl", StringComparison.Ordinal) || Is("alpine");
        if (Is("win"))
        {
            return architecture == Architecture.X64 ? new("win-x64", "", ".dll") : throw Unsupported();
        }

        if (Is("osx"))
        {
            return architecture == Architecture.Arm64 ? new("osx-arm64", "lib", ".dylib") : throw Unsupported();
        }

        return architecture == Architecture.X64 && !musl && !Is("freebsd") ? new("linux-x64", "lib", ".so") : throw Unsupported();

        NativeLibraryException Unsupported() => new(
            $"libtorch {BuildFacts.LibTorchVersion} does not exist for {runtimeIdentifier} (a process of architecture {architecture}): run on "
            + "Linux x64 with glibc 2.34 or newer (Debian 12, Ubuntu 22.04), Windows x64 or macOS arm64"
            + (musl ? "; systems with musl, such as Alpine, cannot run it." : "."));
    }

    /// <summary>The name of libtorch's CPU package for this platform.</summary>
    public string Package => $"libtorch-cpu-{Rid}";

    /// <summary>The file name of a library given by its bare name.</summary>
    public string FileOf(string library) => $"{Prefix}{library}{Suffix}";
}
