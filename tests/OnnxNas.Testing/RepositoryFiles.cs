namespace OnnxNas.Testing;

/// <summary>Where tests find files that are not built into them.</summary>
public static class RepositoryFiles
{
    /// <summary>The folder of OnnxNas.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder of the shared material beside the repository. The test is inconclusive where it is absent.</summary>
    public static string Shared(params string[] parts)
    {
        var path = Path.GetFullPath(Path.Combine([Root, "..", "shared", .. parts]));
        if (!Path.Exists(path))
            Assert.Inconclusive($"'{path}' is absent.");
        return path;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OnnxNas.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No folder above '{AppContext.BaseDirectory}' holds OnnxNas.sln.");
    }
}
