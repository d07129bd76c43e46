using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// Samples: a tensor per model input, and a label. A dataset is a view that says which samples of which arrays, in which order;
/// parts of it share the arrays. Immutable; reading is safe from several threads.
/// </summary>
public sealed class Dataset
{
    private readonly Source[] sources;
    private readonly Row[] rows;

    private Dataset(Source[] sources, Row[] rows)
    {
        this.sources = sources;
        this.rows = rows;
    }

    /// <summary>All samples of these arrays. Input arrays are keyed by the name of the model's input.</summary>
    /// <exception cref="DataException">The arrays are empty or of different lengths.</exception>
    public Dataset(IReadOnlyDictionary<string, SampleArray> inputs, SampleArray labels)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(labels);
        var source = new Source(new OrderedDictionary<string, SampleArray>(inputs), labels);
        foreach (var array in source.Arrays)
        {
            if (array.Count == 0)
                throw new DataException($"The {array.Description} holds no samples.");
            if (array.Count != labels.Count)
                throw new DataException($"The {array.Description} holds {array.Count} samples, the {labels.Description} {labels.Count}; every sample needs one label.");
        }

        sources = [source];
        rows = [.. Enumerable.Range(0, labels.Count).Select(i => new Row(0, i))];
    }

    /// <summary>A dataset of tensors in memory, samples first.</summary>
    /// <exception cref="DataException">The tensors are empty or of different lengths.</exception>
    public static Dataset FromTensors(IReadOnlyDictionary<string, TensorData> inputs, TensorData labels)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return new(
            new OrderedDictionary<string, SampleArray>(inputs.Select(pair => KeyValuePair.Create(pair.Key, (SampleArray)new TensorArray(pair.Key, pair.Value)))),
            new TensorArray("label", labels));
    }

    /// <summary>Number of samples.</summary>
    public int Count => rows.Length;

    /// <summary>The model inputs there is data for.</summary>
    public IReadOnlyCollection<string> InputNames => sources[0].Inputs.Keys;

    /// <summary>The extents of one sample of an input.</summary>
    public IReadOnlyList<long> SampleDims(string input) => [.. sources[0].Input(input).SampleDims];

    /// <summary>The extents of one label; none where it is a single number.</summary>
    public IReadOnlyList<long> LabelDims => [.. sources[0].Labels.SampleDims];

    /// <summary>The element type the labels are stored as.</summary>
    public ElementType LabelType => sources[0].Labels.Type;

    /// <summary>The arrays the samples come from, each once. There are several per input where datasets were joined.</summary>
    internal IEnumerable<(string Input, SampleArray Array)> InputArrays => sources.SelectMany(s => s.Inputs.Select(pair => (pair.Key, pair.Value)));

    /// <summary>The arrays the labels come from.</summary>
    internal IEnumerable<SampleArray> LabelArrays => sources.Select(s => s.Labels);

    /// <summary>These samples of an input as one tensor <c>[indices, …]</c>, converted to the type the model wants.</summary>
    /// <exception cref="DataException">An element does not fit the type, or the batch is larger than 2 GB.</exception>
    public TensorData Batch(string input, ReadOnlySpan<int> indices, ElementType type) => Gather(s => s.Input(input), indices, type);

    /// <summary>The labels of these samples as one tensor <c>[indices, …]</c>, converted to the type the loss wants.</summary>
    /// <exception cref="DataException">An element does not fit the type, or the batch is larger than 2 GB.</exception>
    public TensorData Labels(ReadOnlySpan<int> indices, ElementType type) => Gather(s => s.Labels, indices, type);

    /// <summary>The same samples with their labels read another way.</summary>
    internal Dataset WithLabels(Func<SampleArray, SampleArray> view) => new(Array.ConvertAll(sources, s => new Source(s.Inputs, view(s.Labels))), rows);

    /// <summary>A view of these samples, in this order.</summary>
    public Dataset Subset(IEnumerable<int> indices) => new(sources, [.. indices.Select(i => rows[i])]);

    /// <summary>The samples of both, these first.</summary>
    /// <exception cref="DataException">The two differ in inputs, types or shapes.</exception>
    public Dataset Concat(Dataset other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (var source in other.sources)
            source.RequireAlike(sources[0]);
        Source[] all = [.. sources, .. other.sources.Except(sources)];
        var map = Array.ConvertAll(other.sources, s => Array.IndexOf(all, s));
        return new(all, [.. rows, .. other.rows.Select(r => r with { Source = map[r.Source] })]);
    }

    private TensorData Gather(Func<Source, SampleArray> select, ReadOnlySpan<int> indices, ElementType type)
    {
        var arrays = Array.ConvertAll(sources, s => select(s));
        var elements = arrays[0].SampleDims.Aggregate(1L, (a, b) => checked(a * b));
        var (size, total) = (type.ByteCount(elements), type.ByteCount(checked(elements * indices.Length)));
        if (total > Array.MaxLength)
            throw new DataException($"{indices.Length} samples of the {arrays[0].Description} take {total} bytes as {type}; use a smaller batch.");
        var target = new byte[total];
        var buffer = arrays[0].Type == type ? [] : new byte[arrays[0].SampleBytes];
        for (var i = 0; i < indices.Length; i++)
        {
            var (source, row) = rows[indices[i]];
            var array = arrays[source];
            var sample = target.AsSpan((int)(i * size), (int)size);
            if (array.Type == type)
            {
                array.Read(row * array.SampleBytes, sample);
                continue;
            }

            array.Read(row * array.SampleBytes, buffer);
            if (ElementConversion.Convert(array.Type, buffer, type, sample) is >= 0 and var at)
                throw new DataException($"The {array.Description} of type {array.Type} holds a value at {Positions.Text(row * elements + at, array.Dims)} that {type} cannot hold.");
        }

        return TensorData.FromBytes(type, [indices.Length, .. arrays[0].SampleDims], target);
    }

    private readonly record struct Row(int Source, int Index);

    // Compared by identity: the same arrays read twice are the same source.
    private sealed class Source(OrderedDictionary<string, SampleArray> inputs, SampleArray labels)
    {
        public OrderedDictionary<string, SampleArray> Inputs { get; } = inputs;

        public SampleArray Labels { get; } = labels;

        public IEnumerable<SampleArray> Arrays => [.. Inputs.Values, Labels];

        public SampleArray Input(string name) => Inputs.TryGetValue(name, out var array)
            ? array
            : throw new DataException($"There is no data for input '{name}'; there is for {Printable.List(Inputs.Keys)}.");

        public void RequireAlike(Source other)
        {
            if (!Inputs.Keys.Order(StringComparer.Ordinal).SequenceEqual(other.Inputs.Keys.Order(StringComparer.Ordinal)))
                throw new DataException($"Data for inputs {Printable.List(Inputs.Keys)} cannot join data for {Printable.List(other.Inputs.Keys)}.");
            foreach (var (mine, theirs) in Inputs.Keys.Select(k => (Inputs[k], other.Inputs[k])).Append((Labels, other.Labels)))
            {
                if (mine.Type != theirs.Type || !mine.SampleDims.SequenceEqual(theirs.SampleDims))
                    throw new DataException($"The {mine.Description} holds {mine.Type}[{string.Join(',', mine.SampleDims)}] samples, the {theirs.Description} {theirs.Type}[{string.Join(',', theirs.SampleDims)}]; both must be alike.");
            }
        }
    }
}
