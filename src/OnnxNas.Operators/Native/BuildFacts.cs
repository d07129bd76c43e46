using System.Reflection;

namespace OnnxNas.Operators.Native;

/// <summary>What the project file recorded in this assembly about the native packages it was built with.</summary>
internal static class BuildFacts
{
    private static readonly Dictionary<string, string?> Recorded = typeof(BuildFacts).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);

    public static string LibTorchVersion { get; } = Recorded["LibTorchVersion"]!;

    public static string Accelerator { get; } = Recorded["Accelerator"]!;

    /// <summary>The folder of libtorch's files in the package folder of the machine that built this; null when not recorded.</summary>
    public static string? LibTorchFolder { get; } = Recorded.GetValueOrDefault("LibTorchFolder");
}
