using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Objectives;

/// <summary>What scores need of tensors.</summary>
internal static class Tensors
{
    /// <summary>The first number along an axis, which goes.</summary>
    public static TensorData First(TensorData tensor, int axis)
    {
        var numbers = tensor.ToDoubles();
        var (length, inner) = ((int)tensor.Dims[axis], (int)tensor.Dims.Skip(axis + 1).Aggregate(1L, (a, b) => a * b));
        return TensorData.Create<double>([.. tensor.Dims.Where((_, i) => i != axis)], [.. Enumerable.Range(0, numbers.Length / length).Select(i => numbers[i / inner * length * inner + i % inner])]);
    }

    /// <summary>Where along an axis, which goes, the largest number stands.</summary>
    public static TensorData Largest(TensorData tensor, int axis)
    {
        long[] dims = [.. tensor.Dims.Where((_, i) => i != axis)];
        var classes = new byte[dims.Aggregate(sizeof(long), (long a, long b) => a * b)];
        new LargestArray(new TensorArray("label", tensor), axis - 1, [.. dims.Skip(1)]).Read(0, classes);
        return TensorData.FromBytes(ElementType.Int64, dims, classes);
    }
}
