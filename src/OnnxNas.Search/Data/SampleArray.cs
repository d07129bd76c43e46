using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// A numeric array whose first axis is the samples. It may be larger than memory: bytes are read where they are asked for.
/// Reading is safe from several threads.
/// </summary>
public abstract class SampleArray
{
    /// <summary>An array of this type and these extents.</summary>
    /// <exception cref="DataException">There is no sample axis, there are more samples than 31 bits can count, or one is larger than 63 bits can.</exception>
    protected SampleArray(string description, ElementType type, IReadOnlyList<long> dims)
    {
        Description = description;
        Type = type;
        Dims = [.. dims];
        if (Dims.Count == 0)
            throw new DataException($"The {description} is a single number; its first axis must be the samples.");
        if (Dims[0] > int.MaxValue)
            throw new DataException($"The {description} holds {Dims[0]} samples; at most {int.MaxValue} can be used.");
        try
        {
            SampleBytes = Dims.Skip(1).Aggregate((long)type.BitWidth() / 8, (a, b) => checked(a * b));
        }
        catch (OverflowException)
        {
            // Possible where there is not one sample.
            throw new DataException($"The {description} has samples of [{string.Join(',', SampleDims)}], which is more than any file can hold.");
        }
    }

    /// <summary>The array in messages: <c>array 'x' of 'data.npz'</c>.</summary>
    public string Description { get; }

    /// <summary>The element type.</summary>
    public ElementType Type { get; }

    /// <summary>The extents, samples first.</summary>
    public IReadOnlyList<long> Dims { get; }

    /// <summary>Number of samples.</summary>
    public int Count => (int)Dims[0];

    /// <summary>The extents of one sample.</summary>
    public IEnumerable<long> SampleDims => Dims.Skip(1);

    /// <summary>Bytes of one sample.</summary>
    public long SampleBytes { get; }

    /// <summary>Copies bytes, little-endian and in C order, from a byte offset on. Both ends must lie between elements.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range passes the end.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Count * SampleBytes - destination.Length)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"The {Description} has no {destination.Length} bytes there.");
        ReadCore(offset, destination);
    }

    /// <summary>Does the reading; the range is inside the array.</summary>
    protected abstract void ReadCore(long offset, Span<byte> destination);
}
