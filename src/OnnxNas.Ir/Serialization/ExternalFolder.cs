namespace OnnxNas.Ir.Serialization;

/// <summary>
/// The folder that external data must lie in. A file of it is trusted only where it is a plain file with one name,
/// reached through plain folders: links could lead anywhere, and reading devices may block or never end.
/// </summary>
internal sealed class ExternalFolder(string path)
{
    private readonly Dictionary<string, ExternalFile> files = new(StringComparer.Ordinal);

    /// <summary>The folder, as a full path.</summary>
    public string Path { get; } = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));

    /// <summary>Checks that a payload is there, and returns what loads it.</summary>
    public Func<ReadOnlyMemory<byte>> Locate(ExternalReference reference, long bytes, string where)
    {
        if (!files.TryGetValue(reference.Location, out var file))
            files[reference.Location] = file = Open(reference.Location, where);
        if (reference.Length is { } length && length != bytes)
            throw new ModelFormatException($"{where} takes {bytes} bytes, but its external data has length {length}. The file is damaged.");
        if (reference.Offset > file.Length || bytes > file.Length - reference.Offset)
            throw new ModelFormatException($"{where} lies at {reference.Offset}..{(Int128)reference.Offset + bytes} of '{reference.Location}', which has {file.Length} bytes. The data file is truncated, or of another model.");
        return () => file.Read(reference.Offset, (int)bytes);
    }

    private ExternalFile Open(string location, string where)
    {
        var full = Path;
        var parts = location.Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            full = System.IO.Path.Combine(full, parts[i]);
            var isLast = i == parts.Length - 1;
            var facts = FileFacts.Of(full) ?? throw new ModelFormatException($"{where}: its external data '{location}' is missing. Put the file beside the model.");
            if (isLast ? facts.Kind != FileKind.Plain : facts.Kind != FileKind.Folder)
                throw new ModelFormatException($"{where}: '{parts[i]}' in the path of its external data '{location}' is {Show(facts.Kind)}. Only plain files and folders are read.");
            if (isLast && facts.Links > 1)
                throw new ModelFormatException($"{where}: its external data '{location}' has {facts.Links} names (hard links). Copy the file.");
            if (isLast)
                return new ExternalFile(full, facts);
        }

        throw new InvalidOperationException("A location has at least one part.");
    }

    private static string Show(FileKind kind) => kind switch
    {
        FileKind.Plain => "a file, not a folder",
        FileKind.Folder => "a folder",
        FileKind.Link => "a symbolic link",
        _ => "a pipe, socket or device",
    };
}
