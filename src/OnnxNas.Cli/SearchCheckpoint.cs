using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxNas.Cli.Reports;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Cli;

/// <summary>
/// The checkpoint of a search, in a folder beside that of its results: kept while the search runs, found again and checked to go on, deleted when the results are in place.
/// </summary>
internal sealed class SearchCheckpoint : IDisposable
{
    /// <summary>What the name of the folder of results is followed by.</summary>
    public const string Suffix = ".checkpoint";

    private readonly SearchLock held;
    private readonly CheckpointState? state;
    private CheckpointFolder? folder;

    private SearchCheckpoint(string results, bool replaces, SearchLock held) => (Results, Replaces, this.held) = (results, replaces, held);

    private SearchCheckpoint(string name, string results, SearchLock held)
    {
        this.held = held;
        (folder, state) = CheckpointFolder.Open(results + Suffix);
        var about = folder.About;
        try
        {
            Options = JsonText.Settings(about["options"]!.AsObject());
            Replaces = about["replaces"]!.GetValue<bool>();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new CheckpointException($"The checkpoint of '{name}' has other settings than this version knows. Resume with the version that wrote it, or start anew with --force.", e);
        }

        Results = results;
    }

    /// <summary>The folder of the results.</summary>
    public string Results { get; }

    /// <summary>Whether results that are there already are to be replaced.</summary>
    public bool Replaces { get; }

    /// <summary>The settings of the search that is resumed; null for a new one.</summary>
    public SearchOptions? Options { get; }

    /// <summary>Where results are gathered before they are put in place.</summary>
    public string Workspace => Results + Suffix;

    /// <summary>For a new search.</summary>
    /// <param name="results">The folder of its results.</param>
    /// <param name="force">Whether results and a checkpoint that are there already are to be replaced.</param>
    /// <exception cref="UsageException">Something is there already, or results cannot go there.</exception>
    public static SearchCheckpoint New(string results, bool force)
    {
        var full = ResultFolder.FullPath(results);
        return Held(full, held =>
        {
            if (CheckpointFolder.Exists(full + Suffix) && !force)
                throw new UsageException($"A search for '{results}' was interrupted. Go on with --resume {Quoted(results)}, or start anew with --force.");
            ResultFolder.Require(full, force);
            return new(full, force, held);
        });
    }

    /// <summary>The checkpoint of a search that was interrupted.</summary>
    /// <param name="name">The folder of its results, or of its checkpoint.</param>
    /// <param name="output">The folder of results that is asked for beside it.</param>
    /// <param name="force">Whether results that came to be there since are to be replaced.</param>
    /// <exception cref="CheckpointException">There is none, for the search is finished or for another reason; or it is damaged.</exception>
    /// <exception cref="UsageException">The two folders differ, or results cannot go there.</exception>
    public static SearchCheckpoint Find(string name, string? output, bool force)
    {
        var full = ResultFolder.FullPath(name);
        var results = full.EndsWith(Suffix, StringComparison.Ordinal) && !CheckpointFolder.Exists(full + Suffix) ? full[..^Suffix.Length] : full;
        if (output is not null && ResultFolder.FullPath(output) != results)
            throw new UsageException($"-o {output} contradicts --resume {name}: a resumed search writes to the folder it was to write to. Leave -o out.");
        if (!CheckpointFolder.Exists(results + Suffix) && ResultFolder.IsComplete(results))
            throw new CheckpointException($"The search in '{Path.GetRelativePath(Environment.CurrentDirectory, results)}' is finished, and there is nothing to resume. For another search choose another folder with -o, or replace this one with --force.");
        if (!CheckpointFolder.Exists(results + Suffix))
            throw CheckpointFolder.Missing(results + Suffix);
        return Held(results, held =>
        {
            var found = new SearchCheckpoint(name, results, held);
            if (!found.AreResultsInPlace)
                ResultFolder.Require(results, found.Replaces || force);
            return found;
        });
    }

    /// <summary>Whether the search was killed after its results were put in place, so that nothing is left to do.</summary>
    public bool AreResultsInPlace =>
        Options is not null && !Replaces && File.Exists(Path.Combine(Results, ResultFolder.Config)) && InputFile.ReadText(Path.Combine(Results, ResultFolder.Config), InputFile.LargestJson) == ResultFolder.ConfigText(Options);

    /// <summary>Starts to keep checkpoints.</summary>
    /// <param name="path">The file of the model.</param>
    /// <param name="marked">What was read from it.</param>
    /// <param name="options">The settings, none of them open any more.</param>
    /// <exception cref="CheckpointException">The checkpoint is of another model or of other data.</exception>
    public Checkpointer Begin(string path, MarkedModel marked, SearchOptions options)
    {
        (string Role, string? Path)[] data = [("data", SearchData.PathOf(path, options)), ("valid", options.Valid), ("test", options.Test)];
        var sources = new JsonObject { ["model"] = Fingerprint.OfModel(path, marked.Model) };
        foreach (var (role, file) in data)
            sources[role] = file is null ? null : Fingerprint.OfFile(file);
        if (folder is null)
        {
            folder = CheckpointFolder.Create(Workspace, new() { ["options"] = JsonSerializer.SerializeToNode(options, JsonText.Options), ["replaces"] = Replaces, ["sources"] = sources });
            return new(folder.Save);
        }

        foreach (var (role, file) in data.Prepend(("model", path)))
        {
            if (!JsonNode.DeepEquals(folder.About["sources"]?[role], sources[role]))
                throw new CheckpointException($"{(file is null ? $"Without --{role} this" : $"'{file}'")} is not the {role} that the checkpoint of '{Results}' was made with. Resume with that one, or start anew with --force.");
        }

        return new(folder.Save, state);
    }

    /// <summary>
    /// Runs the search, and deletes the checkpoint when its results are in place. Where it is interrupted, the error says how to go on; where training failed for good, the checkpoint goes, as going on would fail the same way.
    /// </summary>
    public T Guard<T>(string path, Func<T> search)
    {
        try
        {
            var result = search();
            folder?.Delete();
            return result;
        }
        catch (OperationCanceledException e) when (CheckpointFolder.Exists(Workspace))
        {
            throw new InterruptedException($"interrupted: go on with '{GoOn(path)}'.", e);
        }
        catch (OnnxNasException e) when (e is not (UsageException or CheckpointException or TrainingException) && folder is not null && CheckpointFolder.Exists(Workspace))
        {
            throw new CheckpointException($"{e.Message} What was trained is kept: when the cause is gone, go on with '{GoOn(path)}'.", e);
        }
        catch (Exception e) when (e is TrainingException || !CheckpointFolder.Exists(Workspace))
        {
            folder?.Delete();
            throw;
        }
    }

    /// <summary>Lets other searches use the folders again.</summary>
    public void Dispose() => held.Dispose();

    private static SearchCheckpoint Held(string results, Func<SearchLock, SearchCheckpoint> open)
    {
        ResultFolder.RequireRoom(results);
        var held = SearchLock.Take(results + Suffix);
        try
        {
            return open(held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private string GoOn(string path) => $"onnxnas search {Quoted(path)} --resume {Quoted(Path.GetRelativePath(Environment.CurrentDirectory, Results))}";

    private static string Quoted(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
