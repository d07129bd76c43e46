using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Search.Checkpoints;

/// <summary>
/// Keeps a folder to one search at a time, over all processes. The system drops the lock with the process that holds it, however that ends, so a lock never outlives
/// its search. (Some network file systems have no locks; there two searches are not told apart.)
/// </summary>
public sealed class SearchLock : IDisposable
{
    private const string Name = "lock";

    // How often the folder may vanish, as another search ends, while it is taken.
    private const int Attempts = 100;

    // The numbers that Linux, macOS and Windows have for a file that another one holds.
    private static readonly int[] Held = [11, 35, unchecked((int)0x80070020)];

    private readonly string folder;
    private readonly FileStream file;

    private SearchLock(string folder, FileStream file) => (this.folder, this.file) = (folder, file);

    /// <summary>Takes a folder for the search that calls.</summary>
    /// <param name="folder">The folder, made if it is missing. The one around it must be there.</param>
    /// <exception cref="CheckpointException">Another search has it, or it cannot be made.</exception>
    public static SearchLock Take(string folder)
    {
        var path = Path.Combine(folder, Name);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(folder);
                var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
                // Another search may have deleted it after this one opened it: then it locks nothing.
                if (OperatingSystem.IsWindows() || InputFile.IsAt(file.SafeFileHandle, path))
                    return new(folder, file);
                file.Dispose();
                if (attempt == Attempts)
                    throw new IOException("Other searches keep deleting it.");
            }
            catch (IOException e) when (Held.Contains(e.HResult))
            {
                throw new CheckpointException($"Another search is using '{folder}' now. Wait until it has ended, or choose another folder for the results with -o.", e);
            }
            catch (IOException) when (attempt < Attempts)
            {
                // As a rule the folder vanished between two steps.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CheckpointException($"Folder '{folder}' cannot be used: {e.Message} Choose another place for the results with -o.", e);
            }
        }
    }

    /// <summary>Lets others take the folder. It is deleted where it holds nothing else.</summary>
    public void Dispose()
    {
        try
        {
            if (Directory.EnumerateFileSystemEntries(folder).All(e => Path.GetFileName(e) == Name))
            {
                // Windows deletes no open file; nobody else can take it there in between, since a folder that is not empty stays.
                if (OperatingSystem.IsWindows())
                    file.Dispose();
                File.Delete(Path.Combine(folder, Name));
                Directory.Delete(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left does no harm: the next search takes it over.
        }

        file.Dispose();
    }
}
