using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Data;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli;

/// <summary>The data of a search: opened, checked against the model, and split.</summary>
internal sealed class SearchData : IDisposable
{
    private readonly List<DatasetFile> files = [];

    private SearchData(MarkedModel marked, string modelPath, SearchOptions options)
    {
        var model = marked.Model;
        string[] inputs = [.. model.Graph.Inputs.Where(i => i.Initializer is null).Select(i => i.Name)];
        var path = options.Data ?? Path.ChangeExtension(modelPath, ".npz");
        if (options.Data is null && !File.Exists(path))
            throw new UsageException($"There is no data: '{path}' does not exist. Give the samples with --data FILE.npz.");
        var samples = Open(path, inputs);
        var valid = options.Valid is null ? null : Open(options.Valid, inputs).Samples;
        var test = options.Test is null ? samples.Test : Open(options.Test, inputs).Samples;
        Loss = Loss.Named(options.Loss ?? (samples.Samples.LabelType.IsInteger() ? "cross-entropy" : "mse"));
        foreach (var part in new[] { samples.Samples, valid, test }.OfType<Dataset>())
            Check(part, model.Graph, marked.Types[model.Graph.Outputs[0]].Shape);
        Split = DataSplit.Create(samples.Samples,
            new SplitOptions { Seed = options.Seed, TestFraction = options.TestFraction, ValidFraction = options.ValidFraction, Stratify = Loss.IsClassification }, test, valid);
        foreach (var input in model.Graph.Inputs.Where(i => i.Initializer is null && i.Shape is { Rank: > 0 } shape && shape[0].IsKnown))
        {
            if (input.Shape![0].Value != options.BatchSize)
                throw new DataException($"Input '{input.Name}' {input.Shape} has a fixed batch of {input.Shape[0]}, and --batch-size is {options.BatchSize}. Export the model with a dynamic batch axis, or set --batch-size {input.Shape[0]}.");
        }
    }

    /// <summary>The parts.</summary>
    public DataSplit Split { get; }

    /// <summary>The loss that was asked for, or that fits the labels.</summary>
    public Loss Loss { get; }

    /// <summary>Opens and checks all data.</summary>
    /// <exception cref="DataException">A file is missing or damaged, or does not fit the model.</exception>
    public static SearchData Open(MarkedModel marked, string modelPath, SearchOptions options) => new(marked, modelPath, options);

    public void Dispose()
    {
        foreach (var file in files)
            file.Dispose();
    }

    private DatasetFile Open(string path, string[] inputs)
    {
        files.Add(DatasetReader.Read(path, inputs));
        return files[^1];
    }

    private void Check(Dataset data, Graph graph, Shape? outputShape)
    {
        DatasetChecks.CheckInputs(data, graph);
        var output = graph.Outputs[0];
        var dims = outputShape ?? throw new DataException($"The shape of output '{output.Name}' is not known; declare it in the model.");
        if (Loss.IsClassification)
        {
            if (dims.Rank < 2)
                throw new DataException($"Output '{output.Name}' is {dims}; cross-entropy needs logits [N,C]. Choose another --loss.");
            DatasetChecks.CheckClassLabels(data, dims[1].ValueOrNull ?? long.MaxValue);
        }
        else if (Loss.Name == "bce-with-logits")
            DatasetChecks.CheckBinaryTargets(data, [.. dims.Skip(1)]);
        else
            DatasetChecks.CheckTargets(data, [.. dims.Skip(1)]);
    }
}
