using System.Diagnostics;

namespace OnnxNas.Testing;

/// <summary>What can stand under the name of a file and is none, made with Unix commands. A test that needs them is inconclusive on Windows.</summary>
public static class SpecialFiles
{
    /// <summary>A pipe that nobody writes to, links to a device that never ends and to one another, a link that leads nowhere, and a folder.</summary>
    /// <param name="path">Makes the path of one of them from its kind.</param>
    /// <returns>Their paths.</returns>
    public static IReadOnlyList<string> MakeAll(Func<string, string> path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Pipe(path("pipe"));
        File.CreateSymbolicLink(path("zero"), "/dev/zero");
        File.CreateSymbolicLink(path("loop"), path("loop"));
        File.CreateSymbolicLink(path("dangling"), "nowhere");
        Directory.CreateDirectory(path("folder"));
        return [.. new[] { "pipe", "zero", "loop", "dangling", "folder" }.Select(path)];
    }

    /// <summary>A pipe that nobody writes to.</summary>
    public static void Pipe(string path)
    {
        if (OperatingSystem.IsWindows())
            Assert.Inconclusive("Made with Unix commands.");
        using var process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode);
    }

    /// <summary>A file of this many zeros that takes no room on the disk.</summary>
    public static void Sparse(string path, long length)
    {
        using var file = File.Create(path);
        file.SetLength(length);
    }
}
