using System.Text;
using OnnxNas.Cli.Reports;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search;

namespace OnnxNas.Cli;

/// <summary>The folder of results: filled in another place, then put in its own at once.</summary>
internal sealed class ResultFolder : IDisposable
{
    /// <summary>The file of all settings.</summary>
    public const string Config = "config.json";

    private static readonly string[] Files = ["best.onnx", "arch.json", "ranking.json", "history.csv", Config, "summary.json"];

    private readonly string path;
    private readonly bool force;
    private readonly string staging;
    private readonly string replaced;
    private bool isInPlace;

    private ResultFolder(string path, bool force, string workspace)
    {
        (this.path, this.force) = (path, force);
        (staging, replaced) = (Path.Combine(workspace, "results"), Path.Combine(workspace, "replaced"));
        // What a process that was killed left behind. Replaced results are dropped only where others are in their place.
        DeleteFolder(staging);
        if (Directory.Exists(path))
            DeleteFolder(replaced);
        Directory.CreateDirectory(staging);
    }

    /// <summary>A path as <see cref="Require"/> and <see cref="Create"/> take it.</summary>
    public static string FullPath(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    /// <summary>The text of <see cref="Config"/>.</summary>
    public static string ConfigText(SearchOptions options) => JsonText.Of(options) + "\n";

    /// <summary>Whether a folder holds all results of a search.</summary>
    public static bool IsComplete(string path) => Files.All(f => File.Exists(Path.Combine(path, f)));

    /// <summary>Requires that results can go there, before any work is done.</summary>
    /// <param name="full">The folder's full path.</param>
    /// <param name="force">Whether results that are there are to be replaced.</param>
    /// <exception cref="UsageException">
    /// Something is there already and <paramref name="force"/> is off, or is more than the results of a search.
    /// </exception>
    public static void Require(string full, bool force)
    {
        var path = Path.GetRelativePath(Environment.CurrentDirectory, full);
        if (File.Exists(full))
            throw new UsageException($"'{path}' is a file. Choose another folder with -o.");
        if (Directory.Exists(full) && !force)
            throw new UsageException($"Folder '{path}' exists already. Choose another one with -o, or replace it with --force.");
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal).FirstOrDefault(e => !Files.Contains(e)) is { } other)
            throw new UsageException($"Folder '{path}' holds '{other}', which is no result of a search and would be lost. Choose another folder with -o.");
    }

    /// <summary>Requires that the folder around results is there and takes others.</summary>
    /// <param name="full">The full path of the results.</param>
    /// <exception cref="UsageException">It is not, or does not.</exception>
    public static void RequireRoom(string full)
    {
        var parent = Path.GetDirectoryName(full);
        if (parent is null || !Directory.Exists(parent))
            throw new UsageException($"There is no folder '{parent}' to put '{Path.GetRelativePath(Environment.CurrentDirectory, full)}' into. Make it first.");
        RequireWritable(full);
    }

    /// <summary>Starts a folder.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="force">Whether results that are there are replaced.</param>
    /// <param name="workspace">A folder on the same disk to fill it in.</param>
    public static ResultFolder Create(string path, bool force, string workspace) => new(path, force, workspace);

    // A long search must not end in a place that takes no folder.
    private static void RequireWritable(string full)
    {
        var attempt = full + $".{Environment.ProcessId}.partial";
        try
        {
            Directory.CreateDirectory(attempt);
            Directory.Delete(attempt);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Folder '{full}' cannot be made: {e.Message} Choose another one with -o.");
        }
    }

    /// <summary>Writes a text file.</summary>
    public void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file.</summary>
    public void Write(string name, byte[] bytes) => AtomicFile.Write(Path.Combine(staging, name), stream => stream.Write(bytes));

    /// <summary>Puts the folder in place.</summary>
    public void Commit()
    {
        if (force && Directory.Exists(path))
            Directory.Move(path, replaced);
        try
        {
            Directory.Move(staging, path);
        }
        catch when (Directory.Exists(replaced))
        {
            Directory.Move(replaced, path);
            throw;
        }

        isInPlace = true;
        DeleteFolder(replaced);
    }

    public void Dispose()
    {
        if (!isInPlace)
            DeleteFolder(staging);
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
