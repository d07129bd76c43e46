using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Search.Checkpoints;

/// <summary>
/// Keeps the newest state of a search on disk: the tensors in a file of a new name each time, and <c>checkpoint.json</c>, which names that file and holds all else. A state
/// is there once <c>checkpoint.json</c> is replaced, and it is replaced at once, so a process that is killed at any moment leaves a whole state.
/// </summary>
public sealed partial class CheckpointFolder
{
    private const int Format = 2;
    private const string Index = "checkpoint.json";

    // Tens of thousands of epochs stay far below this.
    private const long LargestIndex = 256 << 20;
    private readonly JsonObject about;
    private long number;

    private CheckpointFolder(string path, JsonObject about, long number) => (Path, this.about, this.number) = (path, about, number);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>What the search is of, as it was given to <see cref="Create"/>. A copy.</summary>
    public JsonObject About => about.DeepClone().AsObject();

    /// <summary>Whether a folder holds a state.</summary>
    public static bool Exists(string path) => File.Exists(System.IO.Path.Combine(path, Index));

    /// <summary>A folder for the states of a new search. A state that is there is deleted.</summary>
    /// <param name="path">The folder, made if it is missing.</param>
    /// <param name="about">What the search is of, kept with every state.</param>
    /// <exception cref="CheckpointException">The folder cannot be made.</exception>
    public static CheckpointFolder Create(string path, JsonObject about)
    {
        ArgumentNullException.ThrowIfNull(about);
        var folder = new CheckpointFolder(path, about.DeepClone().AsObject(), 0);
        folder.Delete();
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"Folder '{path}' cannot be made: {e.Message} Choose another place for the results.", e);
        }

        return folder;
    }

    /// <summary>Opens a folder and reads its state.</summary>
    /// <exception cref="CheckpointException">There is none, or it is damaged.</exception>
    public static (CheckpointFolder Folder, CheckpointState State) Open(string path)
    {
        if (!Exists(path))
            throw Missing(path);
        var index = System.IO.Path.Combine(path, Index);
        var json = Parse(index);
        if (json["format"] is not JsonValue format || !format.TryGetValue<int>(out var version) || version != Format)
            throw new CheckpointException($"'{index}' is of format {json["format"]?.ToJsonString() ?? "unknown"}; this version reads {Format}. Resume with the version that wrote it, or start anew with --force.");
        if (json is not { Count: 6 } || Text(json, "checksum") is not { } checksum || json["about"] is not JsonObject about || json["state"] is not JsonObject values || Text(json, "tensors") is not { } name || Text(json, "sha256") is not { } expected
            || TensorFile().Match(name) is not { Success: true } match || !long.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number))
            throw Damaged(index, null);
        json.Remove("checksum");
        if (Checksum(json) != checksum)
            throw new CheckpointException($"'{index}' is not as it was written: its SHA-256 differs from the one in it. Restore it, or start anew with --force.");
        var file = System.IO.Path.Combine(path, name);
        if (!System.IO.Path.Exists(file))
            throw new CheckpointException($"'{index}' names '{name}', which is missing. Restore that file, or start anew with --force.");
        if (Fingerprint.OfFile(file) != expected)
            throw new CheckpointException($"'{file}' is not as it was written: its SHA-256 differs from the one in {Index}. Restore it, or start anew with --force.");
        return (new(path, about, number), new(new(SafetensorsFile.Read(file)), values));
    }

    /// <summary>Says that a folder holds no state.</summary>
    public static CheckpointException Missing(string path) =>
        new($"There is no checkpoint in '{path}'. Give the folder a search was to write its results to, or its .checkpoint folder.");

    /// <summary>Replaces the state on disk.</summary>
    /// <exception cref="ModelFormatException">It cannot be written; the one before is still there.</exception>
    public void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var name = string.Create(CultureInfo.InvariantCulture, $"state-{number + 1}.safetensors");
        var file = System.IO.Path.Combine(Path, name);
        SafetensorsFile.Write(file, state.Tensors);
        var json = new JsonObject
        {
            ["format"] = Format,
            ["tensors"] = name,
            ["sha256"] = Fingerprint.OfFile(file),
            ["about"] = about.DeepClone(),
            ["state"] = state.Values.DeepClone(),
        };
        json["checksum"] = Checksum(json);
        AtomicFile.Write(System.IO.Path.Combine(Path, Index), stream => stream.Write(Text(json)));
        number++;
        DeleteFiles(except: name);
    }

    /// <summary>Deletes the state, and the folder unless it holds anything else.</summary>
    /// <exception cref="CheckpointException">It cannot be deleted.</exception>
    public void Delete()
    {
        if (!Directory.Exists(Path))
            return;
        try
        {
            // First the file that makes it a state.
            File.Delete(System.IO.Path.Combine(Path, Index));
            DeleteFiles(except: null);
            if (!Directory.EnumerateFileSystemEntries(Path).Any())
                Directory.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"Folder '{Path}' cannot be deleted: {e.Message} Delete it yourself; it is not needed any more.", e);
        }
    }

    [GeneratedRegex(@"^state-([0-9]+)\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex TensorFile();

    // Those of older states, and what a killed process left half written.
    [GeneratedRegex(@"^(state-[0-9]+\.safetensors|\.(state-[0-9]+\.safetensors|checkpoint\.json)\.[^.]+\.[^.]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex OwnFile();

    private void DeleteFiles(string? except)
    {
        foreach (var file in Directory.EnumerateFiles(Path))
        {
            var name = System.IO.Path.GetFileName(file);
            if (name != except && OwnFile().IsMatch(name))
                File.Delete(file);
        }
    }

    // Of all else in it, as this writes it.
    private static string Checksum(JsonObject json) => Fingerprint.Of(Text(json));

    private static byte[] Text(JsonObject json)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            json.WriteTo(writer);
        return stream.ToArray();
    }

    private static JsonObject Parse(string index)
    {
        try
        {
            return JsonNode.Parse(InputFile.ReadBytes(index, LargestIndex), documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject ?? throw Damaged(index, null);
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw Damaged(index, e);
        }
    }

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static CheckpointException Damaged(string index, Exception? inner) =>
        new($"'{index}' is no checkpoint, or is damaged{(inner is null ? "" : $": {inner.Message.TrimEnd('.')}")}. Restore it, or start anew with --force.", inner);
}
