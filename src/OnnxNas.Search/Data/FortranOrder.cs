using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// Arrays whose first index runs fastest, as pandas, MATLAB, R and Julia write them. In them one sample is scattered over the whole file, so they are put into C order once.
/// </summary>
internal static class FortranOrder
{
    // What is held in memory while samples are gathered.
    private const long Piece = 64 << 20;

    /// <summary>Writes an array in C order, some samples at a time.</summary>
    /// <param name="source">Its elements, first index fastest.</param>
    /// <param name="dims">Its extents.</param>
    /// <param name="width">Bytes of an element.</param>
    /// <param name="target">Takes the elements.</param>
    /// <exception cref="DataException">A single sample does not fit into memory.</exception>
    public static void Unroll(ByteSource source, IReadOnlyList<long> dims, int width, Stream target)
    {
        var (samples, elements) = (dims[0], dims.Skip(1).Aggregate(1L, (a, b) => a * b));
        if (samples == 0 || elements == 0)
            return;
        if (elements * width > Array.MaxLength)
            throw new DataException($"An array in Fortran order has samples of {elements * width} bytes each, which is more than can be put into C order here. Save numpy.ascontiguousarray of it.");
        var step = (int)Math.Clamp(Piece / (elements * width), 1, samples);
        var (places, row, piece) = (Places(dims), new byte[step * width], new byte[step * elements * width]);
        for (long first = 0; first < samples; first += step)
        {
            var count = (int)Math.Min(step, samples - first);
            for (long e = 0; e < elements; e++)
            {
                // One element of each of these samples, which lie side by side.
                source.Read((e * samples + first) * width, row.AsSpan(0, count * width));
                var place = places(e) * width;
                for (var s = 0; s < count; s++)
                    row.AsSpan(s * width, width).CopyTo(piece.AsSpan((int)(s * elements * width + place), width));
            }

            target.Write(piece, 0, (int)(count * elements * width));
        }
    }

    // Where an element of a sample stands in C order, by its place in Fortran order.
    private static Func<long, long> Places(IReadOnlyList<long> dims) => index =>
    {
        long place = 0;
        var stride = dims.Skip(1).Aggregate(1L, (a, b) => a * b);
        for (var axis = 1; axis < dims.Count; axis++)
        {
            stride /= dims[axis];
            (index, var at) = Math.DivRem(index, dims[axis]);
            place += at * stride;
        }

        return place;
    };
}
