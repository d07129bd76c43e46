using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>How the extents of an array go with those a model has, both without the batch. Unknown extents of a model fit any.</summary>
internal static class Extents
{
    private const int MaxPermutedRank = 6;

    /// <summary>Whether every extent fits, in this order.</summary>
    public static bool Fit(IReadOnlyList<Dim> wanted, IReadOnlyList<long> given) =>
        wanted.Count == given.Count && wanted.Zip(given).All(pair => Fits(pair.First, pair.Second));

    /// <summary>The extents of the array in the axes of the model, where the two differ by extents of 1 at most, which may be added and dropped; else null.</summary>
    public static long[]? Align(IReadOnlyList<Dim> wanted, IReadOnlyList<long> given)
    {
        var failed = new HashSet<(int, int)>();
        var aligned = new long[wanted.Count];
        return Match(0, 0) ? aligned : null;

        bool Match(int i, int j)
        {
            if (i == wanted.Count && j == given.Count)
                return true;
            if (failed.Contains((i, j)))
                return false;
            if (i < wanted.Count && j < given.Count && Fits(wanted[i], given[j]))
            {
                aligned[i] = given[j];
                if (Match(i + 1, j + 1))
                    return true;
            }

            if (i < wanted.Count && Fits(wanted[i], 1))
            {
                aligned[i] = 1;
                if (Match(i + 1, j))
                    return true;
            }

            if (j < given.Count && given[j] == 1 && Match(i, j + 1))
                return true;
            failed.Add((i, j));
            return false;
        }
    }

    /// <summary>
    /// The axes to transpose an array by, samples first, so that it fits; null where none does. What moves one axis alone, as from channels last to channels first, comes before all else.
    /// </summary>
    public static IReadOnlyList<int>? Transposition(IReadOnlyList<Dim> wanted, IReadOnlyList<long> given)
    {
        if (wanted.Count != given.Count || given.Count is < 2 or > MaxPermutedRank)
            return null;
        var order = Moves(given.Count).Concat(Permutations([.. Enumerable.Range(0, given.Count)]))
            .FirstOrDefault(p => Fit(wanted, [.. p.Select(a => given[a])]));
        return order is null ? null : [0, .. order.Select(a => a + 1)];
    }

    private static bool Fits(Dim wanted, long given) => wanted.ValueOrNull is not { } extent || extent == given;

    // The last axis to the front first: images are stored with their channels last more often than the other way round.
    private static IEnumerable<int[]> Moves(int rank) =>
        from at in Enumerable.Range(0, rank).Reverse()
        from to in Enumerable.Range(0, rank)
        let others = Enumerable.Range(0, rank).Where(a => a != at)
        select (int[])[.. others.Take(to), at, .. others.Skip(to)];

    private static IEnumerable<int[]> Permutations(int[] axes) => axes.Length == 0
        ? [[]]
        : axes.SelectMany(first => Permutations([.. axes.Where(a => a != first)]).Select(rest => (int[])[first, .. rest]));
}
