using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Evaluation;

/// <summary>Random tensors that fit a model's inputs: the same for the same seed, on every machine.</summary>
public static class RandomInputs
{
    // Small enough to be cheap, large enough for a kernel or a window to slide.
    private const long OtherExtent = 8;

    // One array's worth.
    private const long MostBytes = int.MaxValue;

    // Numbers of axes of an input without a shape, in the order they are tried: features, images, sequences.
    private static readonly int[] LikelyRanks = [2, 4, 3, 1, 0, 5];

    /// <summary>Feeds for a loaded model.</summary>
    /// <inheritdoc cref="For(IEnumerable{TensorInfo}, long, int, IReadOnlyDictionary{string, long}?, int, long, IReadOnlyDictionary{string, ValueRange}?)"/>
    public static IReadOnlyDictionary<string, TensorData> For(
        OnnxSession session, long seed, int batch = 2, IReadOnlyDictionary<string, long>? symbols = null, int integersBelow = 2, long mostBytes = MostBytes, IReadOnlyDictionary<string, ValueRange>? ranges = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        return For(session.Inputs, seed, batch, symbols, integersBelow, mostBytes, ranges);
    }

    /// <summary>Feeds for a model's graph. Inputs that have an initializer as default are left out.</summary>
    /// <inheritdoc cref="For(IEnumerable{TensorInfo}, long, int, IReadOnlyDictionary{string, long}?, int, long, IReadOnlyDictionary{string, ValueRange}?)"/>
    public static IReadOnlyDictionary<string, TensorData> For(
        Model model, long seed, int batch = 2, IReadOnlyDictionary<string, long>? symbols = null, int integersBelow = 2, long mostBytes = MostBytes, IReadOnlyDictionary<string, ValueRange>? ranges = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var inputs = model.Graph.Inputs.Where(v => v.Initializer is null).Select(v => new TensorInfo(v.Name, v.Element, v.Shape));
        return For(inputs, seed, batch, symbols, integersBelow, mostBytes, ranges);
    }

    /// <summary>Feeds for these inputs: floats of the standard normal distribution, whole numbers in 0 … <paramref name="integersBelow"/> − 1, bools.</summary>
    /// <param name="inputs">What is needed.</param>
    /// <param name="seed">Selects the numbers. Each input draws from a stream of its own, by position.</param>
    /// <param name="batch">The extent of a free first axis, and of every axis of the same symbol.</param>
    /// <param name="symbols">Extents by symbol. Free extents that are neither here nor the batch become 8.</param>
    /// <param name="integersBelow">The default 2 suits every embedding table, one-hot and index of more than one row.</param>
    /// <param name="mostBytes">The most memory that the feeds may take together.</param>
    /// <param name="ranges">By name, inputs that take other numbers, since they are no data.</param>
    /// <exception cref="UnsupportedOperatorException">An input is no tensor of known rank, or of a type that cannot be drawn.</exception>
    /// <exception cref="ResourceLimitException">The declared extents ask for more than <paramref name="mostBytes"/>.</exception>
    /// <exception cref="DataException">A declared extent, such as <c>N-9</c>, is negative.</exception>
    public static IReadOnlyDictionary<string, TensorData> For(
        IEnumerable<TensorInfo> inputs, long seed, int batch = 2, IReadOnlyDictionary<string, long>? symbols = null, int integersBelow = 2, long mostBytes = MostBytes, IReadOnlyDictionary<string, ValueRange>? ranges = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        TensorInfo[] list = [.. inputs];
        var extents = Extents(list, batch, symbols);
        var dims = list.Select(info => DimsOf(info, extents, batch)).ToList();
        // In floating point, since hostile extents overflow any integer.
        var bytes = list.Zip(dims, (info, d) => d.Aggregate(Math.Max(1, info.Type.BitWidth() / 8.0), (a, b) => a * b)).ToList();
        if (bytes.Sum() > mostBytes)
        {
            var largest = bytes.IndexOf(bytes.Max());
            throw new ResourceLimitException(string.Create(CultureInfo.InvariantCulture,
                $"Input '{list[largest].Name}' [{string.Join(',', dims[largest])}] takes {bytes[largest] / (1 << 20):N0} MiB; the inputs may take {mostBytes >> 20:N0} MiB. Correct the declared extents, or raise --memory."));
        }

        return list.Select((info, i) => (info.Name, Tensor: Draw(info.Type, dims[i], new SeededRandom(seed, i), integersBelow, ranges?.TryGetValue(info.Name, out var range) == true ? range : null)))
            .ToDictionary(pair => pair.Name, pair => pair.Tensor);
    }

    /// <summary>Feeds of the extents that given ones have: floats are drawn anew, all else, which may be indices or lengths, stays.</summary>
    public static IReadOnlyDictionary<string, TensorData> Like(IReadOnlyDictionary<string, TensorData> samples, long seed)
    {
        ArgumentNullException.ThrowIfNull(samples);
        return samples.OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select((s, i) => (s.Key, Tensor: s.Value.Type.IsFloatingPoint() ? Draw(s.Value.Type, s.Value.Dims, new SeededRandom(seed, i)) : s.Value))
            .ToDictionary(pair => pair.Key, pair => pair.Tensor);
    }

    /// <summary>Feeds for these inputs, of which one fits; the likeliest first. Inputs without a shape are given one number of axes after another.</summary>
    /// <inheritdoc cref="For(IEnumerable{TensorInfo}, long, int, IReadOnlyDictionary{string, long}?, int, long, IReadOnlyDictionary{string, ValueRange}?)"/>
    public static IReadOnlyList<IReadOnlyDictionary<string, TensorData>> Likely(IEnumerable<TensorInfo> inputs, long seed, int batch, long mostBytes = MostBytes, IReadOnlyDictionary<string, ValueRange>? ranges = null)
    {
        TensorInfo[] list = [.. inputs];
        return [.. (list.Any(IsOpen) ? LikelyRanks : [0]).Select(rank => For(list.Select(i => IsOpen(i) ? i with { Shape = Free(rank) } : i), seed, batch, mostBytes: mostBytes, ranges: ranges))];

        static bool IsOpen(TensorInfo input) => input.Shape is null && input.Type != ElementType.Undefined;

        static Shape Free(int rank) => new(Enumerable.Range(0, rank).Select(_ => Dim.Unknown()));
    }

    /// <summary>A tensor of random elements.</summary>
    /// <exception cref="UnsupportedOperatorException">The type cannot be drawn.</exception>
    public static TensorData Draw(ElementType type, IReadOnlyList<long> dims, SeededRandom random, int integersBelow = 2, ValueRange? range = null)
    {
        ArgumentNullException.ThrowIfNull(random);
        return type switch
        {
            ElementType.Float32 => Fill(dims, () => (float)Real()),
            ElementType.Float64 => Fill(dims, Real),
            ElementType.Float16 => Fill(dims, () => (Half)Real()),
            ElementType.BFloat16 => TensorData.FromBytes(type, dims, Fill(dims, () => (ushort)(BitConverter.SingleToUInt32Bits((float)Real()) >> 16)).Bytes),
            ElementType.Bool => Fill(dims, () => random.NextInt(2) == 1),
            ElementType.Int8 => Fill(dims, () => (sbyte)Whole()),
            ElementType.UInt8 => Fill(dims, () => (byte)Whole()),
            ElementType.Int16 => Fill(dims, () => (short)Whole()),
            ElementType.UInt16 => Fill(dims, () => (ushort)Whole()),
            ElementType.Int32 => Fill(dims, () => (int)Whole()),
            ElementType.UInt32 => Fill(dims, () => (uint)Whole()),
            ElementType.Int64 => Fill(dims, () => Whole()),
            ElementType.UInt64 => Fill(dims, () => (ulong)Whole()),
            _ => throw new UnsupportedOperatorException($"Random {type} tensors cannot be made; give inputs for this model."),
        };

        double Real() => range is { OfFloats: true } r ? r.Least + (r.Most - r.Least) * random.NextDouble() : random.NextGaussian();

        long Whole() => range is { } r ? (long)r.Least + random.NextInt((int)(r.Most - r.Least) + 1) : random.NextInt(integersBelow);
    }

    private static long[] DimsOf(TensorInfo info, Dictionary<string, long> extents, int batch)
    {
        if (info.Shape is null)
            throw new UnsupportedOperatorException($"Input '{info.Name}' has no known rank; give inputs for this model.");
        long[] dims = [.. info.Shape.Select((dim, axis) => dim.Evaluate(extents) ?? (axis == 0 ? batch : OtherExtent))];
        return dims.All(d => d >= 0)
            ? dims
            : throw new DataException($"Input '{info.Name}' is declared as {info.Shape}, which is [{string.Join(',', dims)}] for the extents that are tried. Correct the declared extents.");
    }

    private static Dictionary<string, long> Extents(IEnumerable<TensorInfo> inputs, int batch, IReadOnlyDictionary<string, long>? symbols)
    {
        var extents = new Dictionary<string, long>(symbols ?? new Dictionary<string, long>(), StringComparer.Ordinal);
        var shapes = inputs.Where(i => i.Shape is not null).Select(i => i.Shape!).ToArray();
        foreach (var symbol in shapes.Where(s => s.Rank > 0).SelectMany(s => s[0].Symbols()))
            extents.TryAdd(symbol, batch);
        foreach (var symbol in shapes.SelectMany(s => s).SelectMany(d => d.Symbols()))
            extents.TryAdd(symbol, OtherExtent);
        return extents;
    }

    private static TensorData Fill<T>(IReadOnlyList<long> dims, Func<T> next) where T : unmanaged
    {
        var elements = new T[dims.Aggregate(1L, (a, b) => checked(a * b))];
        for (var i = 0; i < elements.Length; i++)
            elements[i] = next();
        return TensorData.Create<T>(dims, elements);
    }
}
