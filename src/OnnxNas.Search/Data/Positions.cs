namespace OnnxNas.Search.Data;

/// <summary>Where in an array an element stands.</summary>
internal static class Positions
{
    /// <summary><c>[12,0,3]</c> for an index in C order.</summary>
    public static string Text(long index, IReadOnlyList<long> dims)
    {
        var position = new long[dims.Count];
        for (var axis = dims.Count - 1; axis >= 0; axis--)
            (index, position[axis]) = Math.DivRem(index, dims[axis]);
        return $"[{string.Join(',', position)}]";
    }
}
