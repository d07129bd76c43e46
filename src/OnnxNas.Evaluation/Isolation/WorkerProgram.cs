using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace OnnxNas.Evaluation.Isolation;

/// <summary>How a worker process is started: a program that calls <see cref="WorkerLoop.Serve"/> when it is given these arguments.</summary>
/// <param name="FileName">The file that the system starts.</param>
/// <param name="Arguments">Its arguments.</param>
public sealed record WorkerProgram(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>
    /// The program of an assembly: this process's own file where it is that program, or else the assembly beside this one under the .NET host.
    /// Null where neither is there, as in a program that only uses the libraries.
    /// </summary>
    public static WorkerProgram? Of(Assembly program, params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(program);
        var isHosted = Path.GetFileNameWithoutExtension(Environment.ProcessPath) is null or "dotnet";
        if (!isHosted && Assembly.GetEntryAssembly() == program)
            return new(Environment.ProcessPath!, arguments);
        var path = Path.Combine(AppContext.BaseDirectory, program.GetName().Name + ".dll");
        var isThere = File.Exists(path) && File.Exists(Path.ChangeExtension(path, ".runtimeconfig.json"));
        return isThere && Host(isHosted) is { } host ? new(host, [path, .. arguments]) : null;
    }

    internal ProcessStartInfo ToStartInfo() => new(FileName, Arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        CreateNoWindow = true,
    };

    // The runtime lies in shared/Microsoft.NETCore.App/VERSION of the folder that the host lies in.
    private static string? Host(bool isHosted)
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return isHosted && Environment.ProcessPath is { } self ? self : File.Exists(beside) ? beside : null;
    }
}
