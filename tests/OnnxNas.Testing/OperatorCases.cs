using OnnxNas.Ir;

namespace OnnxNas.Testing;

/// <summary>
/// One call of an operator, as a row of test data for <see cref="OperatorHarness.Check"/>. Inputs are float32, or of a type the
/// gradient check leaves alone; it runs the row again with every float32 input as float64.
/// </summary>
/// <param name="Name">What is special about the row.</param>
/// <param name="Opset">The opset of the operator's domain that the model imports.</param>
/// <param name="OpType">The operator.</param>
/// <param name="Inputs">A null input is omitted.</param>
public sealed record OperatorCase(string Name, int Opset, string OpType, params IReadOnlyList<TensorData?> Inputs)
{
    /// <summary>The operator's domain.</summary>
    public string Domain { get; init; } = "";

    /// <summary>The node's attributes.</summary>
    public IReadOnlyList<Attr> Attributes { get; init; } = [];

    /// <summary>How many outputs the node declares.</summary>
    public int Outputs { get; init; } = 1;

    /// <summary>Inputs that are initializers in one of the two runs, and graph inputs in the other: weights.</summary>
    public IReadOnlyList<int> Weights { get; init; } = [];

    /// <summary>Inputs that are always initializers, since the shape rule needs their elements: axes, shapes.</summary>
    public IReadOnlyList<int> Constants { get; init; } = [];

    /// <summary>Whether the run is a training run. ONNX Runtime is not asked then, since it trains nothing.</summary>
    public bool Training { get; init; }

    /// <summary>For a row that must be refused with an error of this project: a part of its message. Nothing else is checked then.</summary>
    public string? Refusal { get; init; }

    /// <summary>Why ONNX Runtime is not asked (it has no such kernel, or is wrong): the reason.</summary>
    public string? NoOracle { get; init; }

    /// <summary>
    /// What ONNX Runtime computes in the node's place, where it does not know the operator's version: made of the graph and the node's inputs,
    /// out of operators that it knows, its own (com.microsoft) among them.
    /// </summary>
    public Func<Graph, IReadOnlyList<Value?>, IReadOnlyList<Value>>? Composition { get; init; }

    /// <summary>Inputs whose gradient is not checked, with the reason.</summary>
    public IReadOnlyDictionary<int, string> NoGradient { get; init; } = new Dictionary<int, string>();

    /// <summary>Why no gradient of the row is checked: the reason.</summary>
    public string? NoGradients { get; init; }

    /// <summary>How many of the last inputs are not the node's, but values that graphs of its attributes read.</summary>
    public int Captured { get; init; }

    /// <summary>Attributes that hold graphs which read values around them: made of the graph they lie in and of those values.</summary>
    public Func<Graph, IReadOnlyList<Value>, IReadOnlyList<Attr>>? Bodies { get; init; }

    /// <summary>Whether the output's extents depend on the elements of inputs, so that the shape rule cannot know them.</summary>
    public bool DynamicShape { get; init; }

    /// <summary>Allowed absolute difference to ONNX Runtime.</summary>
    public double Absolute { get; init; } = 1e-5;

    /// <summary>Allowed relative difference to ONNX Runtime.</summary>
    public double Relative { get; init; } = 1e-4;

    /// <inheritdoc/>
    public override string ToString() => $"{OpType}-{Opset} {Name}";
}

/// <summary>Tensors for rows, the same for the same seed.</summary>
public static class TestTensors
{
    /// <summary>Standard normal float32 numbers.</summary>
    public static TensorData Normal(long seed, params long[] dims)
    {
        var random = new SeededRandom(seed);
        return Fill(dims, () => (float)random.NextGaussian());
    }

    /// <summary>Float32 numbers spread evenly between two bounds.</summary>
    public static TensorData Uniform(long seed, float low, float high, params long[] dims)
    {
        var random = new SeededRandom(seed);
        return Fill(dims, () => low + (float)random.NextDouble() * (high - low));
    }

    /// <summary>Float32 numbers that all differ by 0.1 at least, in random order: for maxima, whose gradient jumps where two are equal.</summary>
    public static TensorData Distinct(long seed, params long[] dims)
    {
        var values = Enumerable.Range(0, (int)dims.Aggregate(1L, (a, b) => a * b)).Select(i => 0.1f * i - 2).ToArray();
        new SeededRandom(seed).Shuffle<float>(values);
        return TensorData.Create<float>(dims, values);
    }

    /// <summary>Whole numbers from <paramref name="low"/> to <paramref name="high"/> - 1.</summary>
    public static TensorData Int64s(long seed, int low, int high, params long[] dims)
    {
        var random = new SeededRandom(seed);
        return Fill(dims, () => (long)random.NextInt(high - low) + low);
    }

    /// <summary>The same elements in another type that is executed.</summary>
    public static TensorData As(this TensorData data, ElementType type)
    {
        ArgumentNullException.ThrowIfNull(data);
        var values = data.ToDoubles();
        var queue = new Queue<double>(values);
        return type switch
        {
            ElementType.Float32 => Fill(data.Dims, () => (float)queue.Dequeue()),
            ElementType.Float64 => TensorData.Create<double>(data.Dims, values),
            ElementType.Float16 => Fill(data.Dims, () => (Half)queue.Dequeue()),
            ElementType.BFloat16 => TensorData.FromBytes(type, data.Dims, Fill(data.Dims, () => (ushort)(BitConverter.SingleToUInt32Bits((float)queue.Dequeue()) >> 16)).Bytes),
            ElementType.UInt16 => Fill(data.Dims, () => (ushort)queue.Dequeue()),
            ElementType.UInt32 => Fill(data.Dims, () => (uint)queue.Dequeue()),
            ElementType.UInt64 => Fill(data.Dims, () => (ulong)queue.Dequeue()),
            ElementType.Int8 => Fill(data.Dims, () => (sbyte)queue.Dequeue()),
            ElementType.UInt8 => Fill(data.Dims, () => (byte)queue.Dequeue()),
            ElementType.Int16 => Fill(data.Dims, () => (short)queue.Dequeue()),
            ElementType.Int32 => Fill(data.Dims, () => (int)queue.Dequeue()),
            ElementType.Int64 => Fill(data.Dims, () => (long)queue.Dequeue()),
            ElementType.Bool => Fill(data.Dims, () => queue.Dequeue() != 0),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No rows need this type yet."),
        };
    }

    private static TensorData Fill<T>(IReadOnlyList<long> dims, Func<T> next) where T : unmanaged
    {
        var elements = new T[dims.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < elements.Length; i++)
            elements[i] = next();
        return TensorData.Create<T>(dims, elements);
    }
}
