using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Data;
using OnnxNas.Search.Import;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli;

/// <summary>The data of a search: opened, checked against the model, and split.</summary>
internal sealed class SearchData : IDisposable
{
    private readonly List<DatasetFile> files;

    private SearchData(List<DatasetFile> files, Loss loss, DataSplit split) => (this.files, Loss, Split) = (files, loss, split);

    /// <summary>The parts.</summary>
    public DataSplit Split { get; }

    /// <summary>The loss that was asked for, or that fits the labels.</summary>
    public Loss Loss { get; }

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
        var samples = Read(path);
        var valid = options.Valid is null ? null : Read(options.Valid).Samples;
        var test = options.Test is null ? samples.Test : Read(options.Test).Samples;
        var loss = Loss.Named(options.Loss ?? (samples.Samples.LabelType.IsInteger() ? "cross-entropy" : "mse"));
        foreach (var part in new[] { samples.Samples, valid, test }.OfType<Dataset>())
            Check(part, loss, graph, marked.Types[graph.Outputs[0]].Shape);
        var split = DataSplit.Create(samples.Samples,
            new SplitOptions { Seed = options.Seed, TestFraction = options.TestFraction, ValidFraction = options.ValidFraction, Stratify = loss.IsClassification }, test, valid);
        if (inputs.FirstOrDefault(i => i.Shape is { Rank: > 0 } shape && shape[0].IsKnown && shape[0].Value != options.BatchSize) is { } input)
            throw new DataException($"--batch-size is {options.BatchSize}. {TrainingImport.WhyFixedBatch(marked.Findings)} Set --batch-size {input.Shape![0]}, or export the model with a dynamic batch axis.");

        return new(files, loss, split);

        DatasetFile Read(string file)
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

    private static void Check(Dataset data, Loss loss, Graph graph, Shape? outputShape)
    {
        DatasetChecks.CheckInputs(data, graph);
        var output = graph.Outputs[0];
        var dims = outputShape ?? throw new DataException($"The shape of output '{output.Name}' is not known; declare it in the model.");
        if (loss.IsClassification)
        {
            if (dims.Rank < 2)
                throw new DataException($"Output '{output.Name}' is {dims}; cross-entropy needs logits [N,C]. Choose another --loss.");
            DatasetChecks.CheckClassLabels(data, dims[1].ValueOrNull ?? long.MaxValue);
        }
        else if (loss.Name == "bce-with-logits")
            DatasetChecks.CheckBinaryTargets(data, [.. dims.Skip(1)]);
        else
            DatasetChecks.CheckTargets(data, [.. dims.Skip(1)]);
    }
}
