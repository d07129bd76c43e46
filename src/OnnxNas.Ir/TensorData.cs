using System.Runtime.InteropServices;

namespace OnnxNas.Ir;

/// <summary>Where a tensor's payload stands in the file.</summary>
public enum TensorStorage
{
    /// <summary>Little-endian bytes in <c>raw_data</c>.</summary>
    Raw,

    /// <summary>A typed field such as <c>float_data</c>.</summary>
    Typed,

    /// <summary>A file of its own beside the model.</summary>
    External,
}

/// <summary>
/// A constant tensor: element type, dims and payload. Immutable. The payload is little-endian bytes as
/// in ONNX's <c>raw_data</c>, loaded on first use where it lies in a file of its own; strings are byte strings.
/// </summary>
public sealed class TensorData
{
    private readonly Lazy<ReadOnlyMemory<byte>> payload;
    private readonly IReadOnlyList<ReadOnlyMemory<byte>>? strings;

    private TensorData(ElementType type, IReadOnlyList<long> dims, Lazy<ReadOnlyMemory<byte>> payload, TensorStorage storage, IReadOnlyList<ReadOnlyMemory<byte>>? strings = null)
    {
        Type = type;
        Dims = [.. dims];
        ElementCount = CountElements(Dims);
        this.payload = payload;
        this.strings = strings;
        Storage = storage;
    }

    /// <summary>A tensor over these bytes.</summary>
    /// <exception cref="ModelFormatException">The number of bytes does not fit the dims.</exception>
    public static TensorData FromBytes(ElementType type, IReadOnlyList<long> dims, ReadOnlyMemory<byte> bytes, TensorStorage storage = TensorStorage.Raw)
    {
        var expected = type.ByteCount(CountElements(dims));
        if (type.BitWidth() == 0 || bytes.Length != expected)
            throw new ModelFormatException($"A {type} tensor of dims [{string.Join(',', dims)}] takes {expected} bytes, got {bytes.Length}.");
        return new(type, dims, new(bytes), storage);
    }

    /// <summary>A tensor over these elements.</summary>
    public static TensorData Create<T>(IReadOnlyList<long> dims, ReadOnlySpan<T> elements) where T : unmanaged =>
        FromBytes(ElementTypes.Of<T>(), dims, MemoryMarshal.AsBytes(elements).ToArray());

    /// <summary>A tensor of rank 0.</summary>
    public static TensorData Scalar<T>(T value) where T : unmanaged => Create<T>([], [value]);

    /// <summary>A tensor of rank 1.</summary>
    public static TensorData Vector<T>(params ReadOnlySpan<T> values) where T : unmanaged => Create([values.Length], values);

    /// <summary>A tensor of byte strings (UTF-8 by convention).</summary>
    public static TensorData FromStrings(IReadOnlyList<long> dims, IReadOnlyList<ReadOnlyMemory<byte>> strings)
    {
        if (CountElements(dims) != strings.Count)
            throw new ModelFormatException($"A string tensor of dims [{string.Join(',', dims)}] has {CountElements(dims)} elements, got {strings.Count}.");
        return new(ElementType.String, dims, new(ReadOnlyMemory<byte>.Empty), TensorStorage.Typed, strings);
    }

    /// <summary>A tensor whose payload is loaded on first use. The loader checks the length.</summary>
    public static TensorData Deferred(ElementType type, IReadOnlyList<long> dims, Func<ReadOnlyMemory<byte>> load, TensorStorage storage = TensorStorage.External) =>
        new(type, dims, new(load), storage);

    /// <summary>The element type.</summary>
    public ElementType Type { get; }

    /// <summary>The extents.</summary>
    public IReadOnlyList<long> Dims { get; }

    /// <summary>The product of <see cref="Dims"/>.</summary>
    public long ElementCount { get; }

    /// <summary>Where the payload stood in the file, and will be written to.</summary>
    public TensorStorage Storage { get; }

    /// <summary>The payload. Empty for strings.</summary>
    /// <exception cref="ModelFormatException">The payload lies in a file that cannot be read.</exception>
    public ReadOnlyMemory<byte> Bytes => payload.Value;

    /// <summary>The elements of a string tensor.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Strings => strings ?? throw new InvalidOperationException($"A {Type} tensor holds no strings.");

    internal Google.Protobuf.IMessage? Residue { get; init; }

    /// <summary>The folder that the file of an <see cref="TensorStorage.External"/> payload is named from.</summary>
    internal string? Folder { get; init; }

    /// <summary>The payload as elements, without a copy.</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is not what <see cref="Type"/> says.</exception>
    public ReadOnlySpan<T> AsSpan<T>() where T : unmanaged =>
        ElementTypes.Of<T>() == Type
            ? MemoryMarshal.Cast<byte, T>(Bytes.Span)
            : throw new InvalidOperationException($"A {Type} tensor read as {typeof(T).Name}.");

    /// <summary>The elements of an integer or bool tensor, widened.</summary>
    /// <exception cref="ModelFormatException">The tensor holds no integers.</exception>
    public long[] ToInt64s() => Type switch
    {
        ElementType.Int64 => AsSpan<long>().ToArray(),
        ElementType.Int32 => Widen<int>(v => v),
        ElementType.Int16 => Widen<short>(v => v),
        ElementType.Int8 => Widen<sbyte>(v => v),
        ElementType.UInt8 => Widen<byte>(v => v),
        ElementType.UInt16 => Widen<ushort>(v => v),
        ElementType.UInt32 => Widen<uint>(v => v),
        ElementType.UInt64 => Widen<ulong>(v => checked((long)v)),
        ElementType.Bool => [.. Bytes.ToArray().Select(b => b == 0 ? 0L : 1L)],
        _ => throw new ModelFormatException($"Expected an integer tensor, got {Type}."),
    };

    /// <summary>The elements of a numeric tensor as doubles (8-bit floats and packed types excepted).</summary>
    /// <exception cref="ModelFormatException">The type has no such reading.</exception>
    public double[] ToDoubles() => Type switch
    {
        ElementType.Float32 => [.. MemoryMarshal.Cast<byte, float>(Bytes.Span).ToArray().Select(v => (double)v)],
        ElementType.Float64 => AsSpan<double>().ToArray(),
        ElementType.Float16 => [.. MemoryMarshal.Cast<byte, Half>(Bytes.Span).ToArray().Select(v => (double)v)],
        ElementType.BFloat16 => [.. MemoryMarshal.Cast<byte, ushort>(Bytes.Span).ToArray().Select(v => (double)BitConverter.UInt32BitsToSingle((uint)v << 16))],
        _ => [.. ToInt64s().Select(v => (double)v)],
    };

    /// <summary><c>Float32[64,3,3,3]</c>.</summary>
    public override string ToString() => $"{Type}[{string.Join(',', Dims)}]";

    internal TensorData WithResidue(Google.Protobuf.IMessage? residue, string? folder = null) =>
        new(Type, Dims, payload, Storage, strings) { Residue = residue, Folder = folder };

    private static long CountElements(IReadOnlyList<long> dims)
    {
        try
        {
            return dims.Aggregate(1L, (a, b) => b < 0 ? throw new ModelFormatException($"Tensor dims [{string.Join(',', dims)}] hold a negative number.") : checked(a * b));
        }
        catch (OverflowException e)
        {
            throw new ModelFormatException($"Tensor dims [{string.Join(',', dims)}] multiply to more than 64 bits can hold.", e);
        }
    }

    private long[] Widen<T>(Func<T, long> convert) where T : unmanaged
    {
        var span = AsSpan<T>();
        var result = new long[span.Length];
        for (var i = 0; i < span.Length; i++)
            result[i] = convert(span[i]);
        return result;
    }
}

/// <summary>A sparse constant tensor: non-zero values, their positions, and the dense extents.</summary>
public sealed record SparseTensorData(TensorData? Values, TensorData? Indices, IReadOnlyList<long> Dims)
{
    /// <summary>The name of the values tensor, which names a sparse initializer.</summary>
    public string? Name { get; init; }

    internal Google.Protobuf.IMessage? Residue { get; init; }
}
