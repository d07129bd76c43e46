namespace OnnxNas.Cli;

/// <summary>The folder of results: filled under another name beside its place, then put there at once.</summary>
internal sealed class ResultFolder : IDisposable
{
    private static readonly string[] Files = ["best.onnx", "arch.json", "history.csv", "config.json", "summary.json"];

    private readonly string path;
    private readonly bool force;
    private readonly string staging;
    private bool isInPlace;

    private ResultFolder(string path, bool force)
    {
        this.path = path;
        this.force = force;
        staging = StagingOf(path);
        Directory.CreateDirectory(staging);
    }

    /// <summary>Requires that results can go there, before any work is done.</summary>
    /// <exception cref="UsageException">
    /// Something is there already and <paramref name="force"/> is off, or is more than the results of a search; or the folder around is missing or takes no other.
    /// </exception>
    public static string Require(string path, bool force)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(full))
            throw new UsageException($"'{path}' is a file. Choose another folder with -o.");
        if (Directory.Exists(full) && !force)
            throw new UsageException($"Folder '{path}' exists already. Choose another one with -o, or replace it with --force.");
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal).FirstOrDefault(e => !Files.Contains(e)) is { } other)
            throw new UsageException($"Folder '{path}' holds '{other}', which is no result of a search and would be lost. Choose another folder with -o.");
        var parent = Path.GetDirectoryName(full);
        if (parent is null || !Directory.Exists(parent))
            throw new UsageException($"There is no folder '{parent}' to put '{path}' into. Make it first.");
        RequireWritable(full);
        return full;
    }

    /// <summary>Starts a folder at a path <see cref="Require"/> gave.</summary>
    public static ResultFolder Create(string path, bool force) => new(path, force);

    // A long search must not end in a place that takes no folder.
    private static void RequireWritable(string full)
    {
        try
        {
            Directory.CreateDirectory(StagingOf(full));
            Directory.Delete(StagingOf(full));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Folder '{full}' cannot be made: {e.Message} Choose another one with -o.");
        }
    }

    private static string StagingOf(string full) => full + $".{Environment.ProcessId}.partial";

    /// <summary>Writes a text file.</summary>
    public void Write(string name, string text) => File.WriteAllText(Path.Combine(staging, name), text);

    /// <summary>Writes a file.</summary>
    public void Write(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(staging, name), bytes);

    /// <summary>Puts the folder in place.</summary>
    public void Commit()
    {
        var old = path + $".{Environment.ProcessId}.old";
        if (force && Directory.Exists(path))
            Directory.Move(path, old);
        try
        {
            Directory.Move(staging, path);
        }
        catch when (Directory.Exists(old))
        {
            Directory.Move(old, path);
            throw;
        }

        isInPlace = true;
        if (Directory.Exists(old))
            Directory.Delete(old, recursive: true);
    }

    public void Dispose()
    {
        if (!isInPlace && Directory.Exists(staging))
            Directory.Delete(staging, recursive: true);
    }
}
