using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>Where along an axis of each sample the largest number stands, the first of equal ones: the classes that rows stand for.</summary>
/// <param name="array">The rows.</param>
/// <param name="axis">The axis of a sample that they lie along, without the samples' own.</param>
/// <param name="sampleDims">The extents of one sample of classes.</param>
internal sealed class LargestArray(SampleArray array, int axis, IReadOnlyList<long> sampleDims) : SampleArray(array.Description, ElementType.Int64, [array.Count, .. sampleDims])
{
    private readonly int length = (int)array.Dims[axis + 1];
    private readonly int inner = (int)array.Dims.Skip(axis + 2).Aggregate(1L, (a, b) => a * b);

    /// <inheritdoc/>
    protected override void ReadCore(long offset, Span<byte> destination)
    {
        var classes = MemoryMarshal.Cast<byte, long>(destination);
        var perSample = SampleBytes / sizeof(long);
        var numbers = new double[array.SampleBytes / (array.Type.BitWidth() / 8)];
        var bytes = new byte[array.SampleBytes];
        var (first, read) = (offset / sizeof(long), -1L);
        for (var i = 0; i < classes.Length; i++)
        {
            var (sample, place) = Math.DivRem(first + i, perSample);
            if (sample != read)
            {
                array.Read(sample * array.SampleBytes, bytes);
                ElementConversion.Convert(array.Type, bytes, ElementType.Float64, MemoryMarshal.AsBytes(numbers.AsSpan()));
                read = sample;
            }

            classes[i] = Largest(numbers, (int)(place / inner) * length * inner + (int)(place % inner));
        }
    }

    private int Largest(double[] numbers, int start)
    {
        var best = 0;
        for (var c = 1; c < length; c++)
        {
            if (numbers[start + c * inner] > numbers[start + best * inner])
                best = c;
        }

        return best;
    }
}
