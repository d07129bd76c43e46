using System.Runtime.InteropServices;

namespace OnnxNas.Operators.Native;

/// <summary>
/// Lets idle OpenMP threads sleep. By default they spin, and on a machine that does anything else a step then takes many times as long,
/// as each thread waits for one that has no core. Sleeping costs nothing measurable where the machine is free.
/// </summary>
internal static partial class OpenMpWaiting
{
    private const string Variable = "OMP_WAIT_POLICY";

    /// <summary>Sets the policy, unless the user did. Must run before libtorch is loaded, as OpenMP reads it once.</summary>
    public static void Apply()
    {
        // .NET's own copy of the environment is not what native libraries see.
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable(Variable) is null)
            _ = SetEnvironment(Variable, "PASSIVE", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
