namespace OnnxNas.Fuzz.Parents;

/// <summary>A sound model that mutants are made of, with the files that lie beside it.</summary>
internal sealed record ParentModel(string Name, byte[] Bytes)
{
    /// <summary>External data by file name.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>The models of a folder, in order of their paths; or, without one, those built in.</summary>
    public static IReadOnlyList<ParentModel> All(string? folder) => folder is null ? OwnModels.All() : OfFolder(folder);

    private static List<ParentModel> OfFolder(string folder) =>
    [
        .. from path in Directory.EnumerateFiles(folder, "*.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
           select new ParentModel(Path.GetRelativePath(folder, path), File.ReadAllBytes(path)),
    ];
}
