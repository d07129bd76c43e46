using TorchSharp;

namespace OnnxNas.Operators.Native;

/// <summary>Where native files may lie: beside the program (when published), else in NuGet's package folder (when built).</summary>
internal sealed class NativeFolders(NativePlatform platform)
{
    private readonly List<string> ofProgram =
    [
        Path.Combine(AppContext.BaseDirectory, "runtimes", platform.Rid, "native"),
        AppContext.BaseDirectory,
        // Where the host found the native files that the program's .deps.json names: differs for plug-ins and test hosts.
        .. (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator),
    ];

    /// <summary>The folder that holds libtorch.</summary>
    /// <exception cref="NativeLibraryException">There is none.</exception>
    public string LibTorch()
    {
        var cpu = BuildFacts.Accelerator == "cpu";
        string[] packages = cpu ? [BuildFacts.LibTorchFolder ?? "", InPackageRoot(platform.Package, BuildFacts.LibTorchVersion)] : [];
        return Find([.. ofProgram, .. packages], NativePlatform.LibTorch, $"libtorch {BuildFacts.LibTorchVersion}", cpu
            ? $"Run: dotnet package download {platform.Package}@{BuildFacts.LibTorchVersion} --output {PackageRoot}"
            : "This is a CUDA build: build it where the TorchSharp-cuda packages can be restored, or build with -p:Accelerator=cpu.");
    }

    /// <summary>The folder that holds TorchSharp's own native library.</summary>
    /// <exception cref="NativeLibraryException">There is none.</exception>
    public string Bridge()
    {
        var version = typeof(torch).Assembly.GetName().Version!.ToString(3);
        return Find(
            [.. ofProgram, InPackageRoot("torchsharp", version)],
            [NativePlatform.Bridge],
            $"TorchSharp {version}'s native library",
            "Restore and build the program again.");
    }

    private static string PackageRoot { get; } = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } root
        ? root
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private string InPackageRoot(string package, string version) =>
        Path.Combine(PackageRoot, package, version, "runtimes", platform.Rid, "native");

    private string Find(IEnumerable<string> folders, IReadOnlyList<string> libraries, string what, string nextStep)
    {
        var files = libraries.Select(platform.FileOf).ToList();
        var distinct = folders.Where(f => f.Length > 0).Select(f => Path.TrimEndingDirectorySeparator(Path.GetFullPath(f))).Distinct().ToList();
        return distinct.Find(folder => files.TrueForAll(file => File.Exists(Path.Combine(folder, file))))
            ?? throw new NativeLibraryException(
                $"{what} is not on this machine: {string.Join(", ", files)} not found in {string.Join(", ", distinct)}. {nextStep}");
    }
}
