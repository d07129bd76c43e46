namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Follows the batch through a change of shape that keeps the elements' order.</summary>
internal static class BatchLayout
{
    /// <summary>
    /// The axes of <paramref name="target"/> that can hold the batch of <paramref name="source"/>. In the order of elements a batch of N at
    /// stride S covers the interval S to S·N; an axis can hold it only if its own interval does, which is one axis at most if N is more than 1. For
    /// one sample there may be several: those that are the batch alone come first, then the outermost.
    /// </summary>
    public static IEnumerable<BatchAxis> Find(IReadOnlyList<Dim> source, BatchAxis at, IReadOnlyList<Dim> target, Dim samples)
    {
        var before = Product(source.Take(at.Axis)) * at.Outer;
        var after = at.Inner * Product(source.Skip(at.Axis + 1));
        var found = new List<BatchAxis>();
        for (var axis = 0; axis < target.Count; axis++)
        {
            if (Quotient(before, Product(target.Take(axis))) is not { } outer || Quotient(after, Product(target.Skip(axis + 1))) is not { } inner)
                continue;
            var candidate = new BatchAxis(axis, outer, inner);
            if (candidate.Extent(samples).Equals(target[axis]))
                found.Add(candidate);
        }

        return found.OrderBy(c => c.PerSample.ValueOrNull == 1 ? 0 : 1);
    }

    private static Dim Product(IEnumerable<Dim> dims) => dims.Aggregate(Dim.Known(1), (a, b) => a * b);

    // a / b, where that is whole whatever the symbols stand for.
    private static Dim? Quotient(Dim a, Dim b)
    {
        if (a.IsUnknown || b.IsUnknown || b.ValueOrNull == 0)
            return null;
        var quotient = Dim.FloorDiv(a, b);
        return (quotient * b).Equals(a) ? quotient : null;
    }
}
