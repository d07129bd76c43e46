namespace OnnxNas.Cli;

/// <summary>The folder of results: filled under another name beside its place, then put there at once.</summary>
internal sealed class ResultFolder : IDisposable
{
    private readonly string path;
    private readonly bool force;
    private readonly string staging;
    private bool isInPlace;

    private ResultFolder(string path, bool force)
    {
        this.path = path;
        this.force = force;
        staging = path + $".{Environment.ProcessId}.partial";
        Directory.CreateDirectory(staging);
    }

    /// <summary>Requires that results can go there, before any work is done.</summary>
    /// <exception cref="UsageException">Something is there already and <paramref name="force"/> is off, or the folder around is missing.</exception>
    public static string Require(string path, bool force)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(full))
            throw new UsageException($"'{path}' is a file. Choose another folder with -o.");
        if (Directory.Exists(full) && !force)
            throw new UsageException($"Folder '{path}' exists already. Choose another one with -o, or replace it with --force.");
        var parent = Path.GetDirectoryName(full);
        if (parent is null || !Directory.Exists(parent))
            throw new UsageException($"There is no folder '{parent}' to put '{path}' into. Make it first.");
        return full;
    }

    /// <summary>Starts a folder at a path <see cref="Require"/> gave.</summary>
    public static ResultFolder Create(string path, bool force) => new(path, force);

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
        Directory.Move(staging, path);
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
