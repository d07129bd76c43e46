using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>What a data file holds. Close it when its samples are no longer read.</summary>
public sealed class DatasetFile : IDisposable
{
    private readonly ArrayFile file;

    internal DatasetFile(ArrayFile file, Dataset samples, Dataset? test)
    {
        this.file = file;
        Samples = samples;
        Test = test;
    }

    /// <summary>The samples; those to train with, where the file sets test samples apart.</summary>
    public Dataset Samples { get; }

    /// <summary>The test samples (<c>x_test</c>, <c>y_test</c>), where the file has them.</summary>
    public Dataset? Test { get; }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}

/// <summary>
/// Reads data files. Arrays are named as the model's inputs (<c>x</c> also for a single one) plus <c>label</c>, <c>labels</c>,
/// <c>y</c> or <c>target</c>; with <c>_train</c> and <c>_test</c> appended where test samples are set apart.
/// </summary>
public static class DatasetReader
{
    private static readonly IDatasetReader[] Formats = [new NpzReader()];

    private static readonly string[] LabelNames = ["label", "labels", "y", "target"];

    /// <summary>Opens a data file.</summary>
    /// <param name="path">The file; its extension tells the format.</param>
    /// <param name="inputNames">The model's inputs. Other arrays are left alone.</param>
    /// <exception cref="DataException">The file is missing or damaged, an array is missing, named ambiguously, empty or of the wrong length.</exception>
    public static DatasetFile Read(string path, IReadOnlyList<string> inputNames)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(inputNames);
        if (!Path.Exists(path))
            throw new DataException($"There is no data file '{path}'.");
        var extension = Path.GetExtension(path).ToLowerInvariant();
        var format = Formats.FirstOrDefault(f => f.Extensions.Contains(extension))
            ?? throw new DataException($"'{path}' has the extension '{extension}'; data is read from {string.Join(", ", Formats.SelectMany(f => f.Extensions))} files.");
        var file = format.Open(path);
        try
        {
            var parted = inputNames.SelectMany(i => Candidates(i, inputNames)).Any(n => file.Names.Contains(n + "_train"));
            return parted
                ? new(file, Part(file, path, inputNames, "_train"), HasTest(file, inputNames) ? Part(file, path, inputNames, "_test") : null)
                : new(file, Part(file, path, inputNames, ""), null);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static bool HasTest(ArrayFile file, IReadOnlyList<string> inputNames) =>
        Candidates(inputNames[0], inputNames).Concat(LabelNames).Any(n => file.Names.Contains(n + "_test"));

    private static Dataset Part(ArrayFile file, string path, IReadOnlyList<string> inputNames, string suffix)
    {
        var inputs = new OrderedDictionary<string, SampleArray>(StringComparer.Ordinal);
        foreach (var input in inputNames)
        {
            var name = Candidates(input, inputNames).Select(n => n + suffix).FirstOrDefault(file.Names.Contains)
                ?? throw Missing(file, path, $"input '{input}'", Candidates(input, inputNames), suffix);
            inputs.Add(input, file.Open(name));
        }

        string[] labels = [.. LabelNames.Except(inputNames).Select(n => n + suffix).Where(file.Names.Contains)];
        return labels.Length switch
        {
            1 => new(inputs, file.Open(labels[0])),
            0 => throw Missing(file, path, "the labels", LabelNames.Except(inputNames), suffix),
            _ => throw new DataException($"'{path}' holds {Printable.List(labels)}, any of which could be the labels; keep one."),
        };
    }

    private static IEnumerable<string> Candidates(string input, IReadOnlyList<string> inputNames) => inputNames.Count == 1 && input != "x" ? [input, "x"] : [input];

    private static DataException Missing(ArrayFile file, string path, string what, IEnumerable<string> names, string suffix) =>
        new($"'{path}' has no array for {what}: expected {string.Join(" or ", names.Select(n => $"'{n}{suffix}'"))}, found {Printable.List(file.Names)}.");
}
