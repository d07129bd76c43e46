using System.CommandLine;
using OnnxNas.Testing;

namespace OnnxNas.Benchmarks;

/// <summary><c>decoys FOLDER</c>: a machine with another libtorch, for LD_LIBRARY_PATH.</summary>
internal static class Decoys
{
    public static Command Command()
    {
        var folder = new Argument<string>("FOLDER") { Description = "Where the libraries go" };
        var command = new Command("decoys", "Write libraries by the names of libtorch's that end a process which loads them, for LD_LIBRARY_PATH") { folder };
        command.SetAction(parsed => DecoyLibraries.WriteTo(parsed.GetRequiredValue(folder)));
        return command;
    }
}
