namespace OnnxNas.Ir;

/// <summary>An order of items in which each comes after those it needs, otherwise in the order they had.</summary>
internal static class TopologicalOrder
{
    private const int MostShown = 5;

    /// <summary>The order, and an empty cycle; or, where there is no order, a cycle of items each of which needs the next one and the last one the first.</summary>
    /// <param name="needs">For each item, by its place, the places of the items it needs.</param>
    public static (IReadOnlyList<int> Order, IReadOnlyList<int> Cycle) Of(IReadOnlyList<IReadOnlyCollection<int>> needs)
    {
        var missing = needs.Select(n => n.Count).ToArray();
        var dependents = new List<int>?[needs.Count];
        for (var i = 0; i < needs.Count; i++)
        {
            foreach (var needed in needs[i])
                (dependents[needed] ??= []).Add(i);
        }

        var ready = new PriorityQueue<int, int>(Enumerable.Range(0, needs.Count).Where(i => missing[i] == 0).Select(i => (i, i)));
        var order = new List<int>(needs.Count);
        while (ready.TryDequeue(out var next, out _))
        {
            order.Add(next);
            foreach (var dependent in dependents[next] ?? [])
            {
                if (--missing[dependent] == 0)
                    ready.Enqueue(dependent, dependent);
            }
        }

        return (order, order.Count == needs.Count ? [] : Cycle(needs, missing));
    }

    /// <summary>A cycle as text: <c>Relu 'a' needs Add 'b' needs Relu 'a'</c>; of a long one the first few items.</summary>
    public static string Show(IReadOnlyList<int> cycle, Func<int, string> name)
    {
        var shown = cycle.Append(cycle[0]).Select(name).ToArray();
        return string.Join(" needs ", shown.Length <= MostShown ? shown : [.. shown.Take(MostShown - 1), "…", shown[^1]]);
    }

    // Every item that still misses one needs another such item, so the walk ends in a cycle.
    private static int[] Cycle(IReadOnlyList<IReadOnlyCollection<int>> needs, int[] missing)
    {
        var path = new OrderedDictionary<int, int>();
        var at = Array.FindIndex(missing, m => m > 0);
        while (path.TryAdd(at, path.Count))
            at = needs[at].First(n => missing[n] > 0);
        return [.. path.Keys.Skip(path[at])];
    }
}
