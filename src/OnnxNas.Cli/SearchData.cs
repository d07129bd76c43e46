using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Data;
using OnnxNas.Search.Import;
using OnnxNas.Search.Objectives;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli;

/// <summary>The data of a search: opened, checked against the model, and split.</summary>
internal sealed class SearchData : IDisposable
{
    private readonly List<DatasetFile> files;

    private SearchData(List<DatasetFile> files, Objective objective, DataSplit split, MarkedModel marked) => (this.files, Objective, Split, Marked) = (files, objective, split, marked);

    /// <summary>The parts.</summary>
    public DataSplit Split { get; }

    /// <summary>What is trained on these samples, and what is scored.</summary>
    public Objective Objective { get; }

    /// <summary>The model in the form that trains.</summary>
    public MarkedModel Marked { get; }

    /// <summary>The loss that was asked for, or that fits the labels.</summary>
    public Loss Loss => Objective.Loss;

    /// <summary>Opens and checks all data.</summary>
    /// <exception cref="DataException">A file is missing or damaged, or does not fit the model.</exception>
    public static SearchData Open(MarkedModel marked, string modelPath, SearchOptions options)
    {
        var files = new List<DatasetFile>();
        try
        {
            return Open(marked, modelPath, options, files);
        }
        catch
        {
            Close(files);
            throw;
        }
    }

    /// <summary>The file of the samples.</summary>
    public static string PathOf(string modelPath, SearchOptions options) => options.Data ?? Path.ChangeExtension(modelPath, ".npz");

    public void Dispose() => Close(files);

    private static SearchData Open(MarkedModel marked, string modelPath, SearchOptions options, List<DatasetFile> files)
    {
        var graph = marked.Model.Graph;
        var inputs = graph.Inputs.Where(i => i.Initializer is null).ToList();
        var path = PathOf(modelPath, options);
        if (options.Data is null && !File.Exists(path))
            throw new UsageException($"There is no data: '{path}' does not exist. Give the samples with --data FILE.npz.");
        var samples = Open(path);
        var valid = options.Valid is null ? null : Open(options.Valid).Samples;
        var test = options.Test is null ? samples.Test : Open(options.Test).Samples;
        Dataset[] parts = [.. new[] { samples.Samples, valid, test }.OfType<Dataset>()];
        foreach (var part in parts)
            DatasetChecks.CheckInputs(part, graph);
        var objective = ObjectiveReader.Read(marked.Model, marked.Types, parts, options);
        var split = DataSplit.Create(objective.Read(samples.Samples), new SplitOptions
        {
            Seed = options.Seed,
            TestFraction = options.TestFraction,
            ValidFraction = options.ValidFraction,
            Stratify = objective.Loss.IsClassification,
            Probabilities = objective.Loss.HasProbabilities,
        }, Read(test), Read(valid));
        if (inputs.FirstOrDefault(i => i.Shape is { Rank: > 0 } shape && shape[0].IsKnown && shape[0].Value != options.BatchSize) is { } input)
            throw new DataException($"--batch-size is {options.BatchSize}. {TrainingImport.WhyFixedBatch(marked.Import.Findings)} Set --batch-size {input.Shape![0]}, or export the model with a dynamic batch axis.");

        return new(files, objective, split, objective.Apply(graph) ? marked.Again() : marked);

        Dataset? Read(Dataset? part) => part is null ? null : objective.Read(part);

        DatasetFile Open(string file)
        {
            files.Add(DatasetReader.Read(file, [.. inputs.Select(i => i.Name)]));
            return files[^1];
        }
    }

    private static void Close(List<DatasetFile> files)
    {
        foreach (var file in files)
            file.Dispose();
    }
}
