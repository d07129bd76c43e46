namespace OnnxNas.Ir.Passes;

/// <summary>NumPy broadcasting, as far as it can be told before running.</summary>
internal static class Broadcasting
{
    /// <summary>Whether broadcasting <paramref name="small"/> against <paramref name="large"/> surely gives the shape of <paramref name="large"/>.</summary>
    public static bool FitsInto(this Value small, Value large)
    {
        if (small.Shape is not { } inner)
            return false;
        if (inner.Rank == 0)
            return true;
        if (large.Shape is not { } outer || inner.Rank > outer.Rank)
            return false;
        var offset = outer.Rank - inner.Rank;
        return inner.Select((extent, axis) => extent.ValueOrNull == 1 || extent.Equals(outer[axis + offset])).All(fits => fits);
    }
}
