using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Cli;

/// <summary>Where results go: nothing is overwritten unless asked.</summary>
internal static class OutputFile
{
    /// <summary>Writes a model.</summary>
    /// <exception cref="UsageException">The file exists and <paramref name="force"/> is off, or its folder does not exist.</exception>
    public static void Write(Model model, string path, bool force)
    {
        RequireFree(path, force);
        OnnxFile.Write(model, path);
    }

    /// <summary>Requires that a file can be written there.</summary>
    public static void RequireFree(string path, bool force)
    {
        if (Directory.Exists(path) || File.Exists(path) && !force)
            throw new UsageException($"'{path}' exists already. Choose another -o, or replace it with --force.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(folder))
            throw new UsageException($"There is no folder '{folder}' to write '{path}' into. Make it first.");
    }
}
