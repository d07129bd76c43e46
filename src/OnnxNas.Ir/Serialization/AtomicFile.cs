namespace OnnxNas.Ir.Serialization;

/// <summary>Writes files so that a reader sees the old one or the whole new one.</summary>
public static class AtomicFile
{
    /// <summary>Writes to a temporary file in the same folder, flushes it to disk and renames it to <paramref name="path"/>.</summary>
    /// <exception cref="ModelFormatException">It cannot be written. Nothing is left behind, and a file already there is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var pending = Begin(path, write);
        pending.Commit();
    }

    /// <summary>Writes the temporary file; the caller commits.</summary>
    internal static PendingFile Begin(string path, Action<Stream> write)
    {
        var pending = new PendingFile(System.IO.Path.GetFullPath(path));
        try
        {
            pending.Fill(write);
            return pending;
        }
        catch
        {
            pending.Dispose();
            throw;
        }
    }
}

/// <summary>A file under its temporary name. Disposing drops it unless it was committed.</summary>
internal sealed class PendingFile(string path) : IDisposable
{
    private readonly string temporary = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path) ?? "", $".{System.IO.Path.GetFileName(path)}.{System.IO.Path.GetRandomFileName()}");
    private string? replaced;

    public void Fill(Action<Stream> write) => Guard(() =>
    {
        using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        write(stream);
        stream.Flush(flushToDisk: true);
    });

    /// <summary>Gives the file its name.</summary>
    public void Commit() => Guard(() => File.Move(temporary, path, overwrite: true));

    /// <summary>Gives the file its name, and keeps a file already there until <see cref="Settle"/> or <see cref="Undo"/>.</summary>
    public void CommitWithUndo()
    {
        if (File.Exists(path))
        {
            Guard(() => File.Move(path, temporary + ".old"));
            replaced = temporary + ".old";
        }

        Commit();
    }

    /// <summary>Puts things back as they were before <see cref="CommitWithUndo"/>.</summary>
    public void Undo()
    {
        if (replaced is null)
            Guard(() => File.Delete(path));
        else
            Guard(() => File.Move(replaced, path, overwrite: true));
        replaced = null;
    }

    /// <summary>Drops the file that was replaced.</summary>
    public void Settle()
    {
        if (replaced is not null)
            Guard(() => File.Delete(replaced));
        replaced = null;
    }

    public void Dispose()
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that led here is the one to report, and without the folder there is nothing to delete.
        }
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        // The last is what .NET makes of a file larger than the file system takes.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentOutOfRangeException { ParamName: "value" })
        {
            throw new ModelFormatException($"'{path}' cannot be written: {e.Message} Check the folder, its permissions and the free space.", e);
        }
    }
}
