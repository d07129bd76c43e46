namespace OnnxNas.Operators.Native;

/// <summary>A folder that only its user can enter, for libraries that are made on this machine and then loaded from it.</summary>
internal sealed class PatchCache(string folder)
{
    /// <summary>The cache of the current user: <c>onnxnas/native</c> under XDG_CACHE_HOME, or under <c>~/.cache</c>.</summary>
    /// <exception cref="NativeLibraryException">The user has no home folder.</exception>
    public static PatchCache ForUser()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!Path.IsPathFullyQualified(cache ?? ""))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            cache = Path.IsPathFullyQualified(home)
                ? Path.Combine(home, ".cache")
                : throw new NativeLibraryException(
                    "TorchSharp's library must be adapted to this system's libstdc++, and the user has no home folder to keep the copy in: "
                    + "set XDG_CACHE_HOME to the absolute path of a folder you can write to.");
        }

        return new PatchCache(Path.Combine(cache!, "onnxnas", "native"));
    }

    /// <summary>The path of a file with this content, which is reused if it is there whole and written atomically if not.</summary>
    /// <exception cref="NativeLibraryException">The folder cannot be made private, or the file cannot be written.</exception>
    public string Store(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(folder, name);
        try
        {
            MakePrivate();
            if (!Holds(path, content))
            {
                Write(path, content);
            }

            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NativeLibraryException(
                $"TorchSharp's library must be adapted to this system's libstdc++, and the copy cannot be kept in {folder}: {e.Message} "
                + "Set XDG_CACHE_HOME to a folder you own and can write to.",
                e);
        }
    }

    private void MakePrivate()
    {
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            // Refused by the system when the folder is someone else's, who could then swap the file under us.
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static bool Holds(string path, ReadOnlySpan<byte> content) =>
        File.Exists(path) && content.SequenceEqual(File.ReadAllBytes(path));

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
