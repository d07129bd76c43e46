namespace OnnxNas.Ir.Serialization;

/// <summary>What a call of a model-local function is resolved by.</summary>
internal readonly record struct FunctionId(string Domain, string Name, string Overload)
{
    public override string ToString() => $"{Entries.Show(Domain)}::{Name}{(Overload.Length == 0 ? "" : $":{Overload}")}";
}

/// <summary>Checks that functions do not call themselves, directly or through others. Linear in the nodes, without recursion.</summary>
internal static class FunctionRules
{
    public static void RequireAcyclic(IReadOnlyList<Function> functions)
    {
        var byId = functions.ToDictionary(Id);
        var callees = functions.ToDictionary(f => f, f => CalledIn(f.Body).Distinct().Where(byId.ContainsKey).Select(id => byId[id]).ToArray());
        var open = callees.ToDictionary(entry => entry.Key, entry => entry.Value.Length);
        var callers = callees.SelectMany(entry => entry.Value, (entry, callee) => (Caller: entry.Key, Callee: callee)).ToLookup(e => e.Callee, e => e.Caller);
        var ready = new Queue<Function>(functions.Where(f => open[f] == 0));
        while (ready.TryDequeue(out var function))
        {
            foreach (var caller in callers[function])
            {
                if (--open[caller] == 0)
                    ready.Enqueue(caller);
            }
        }

        if (functions.FirstOrDefault(f => open[f] > 0) is not { } stuck)
            return;
        // Every function still open calls another open one, so the walk ends in a cycle.
        var path = new OrderedDictionary<Function, int>();
        while (path.TryAdd(stuck, path.Count))
            stuck = callees[stuck].First(f => open[f] > 0);
        var cycle = path.Keys.Skip(path[stuck]).Append(stuck).ToArray();
        var shown = cycle.Length <= 5 ? cycle : [.. cycle.Take(4), cycle[^1]];
        throw new ModelFormatException($"Function {string.Join(" calls ", shown.Select(Id))}: functions must not call themselves. Remove the cycle.");
    }

    public static FunctionId Id(Function function) => new(function.Domain, function.Name, function.Overload);

    private static IEnumerable<FunctionId> CalledIn(Graph graph)
    {
        foreach (var node in graph.Nodes)
        {
            yield return new(node.Domain, node.OpType, node.Overload);
            foreach (var called in node.Subgraphs.SelectMany(CalledIn))
                yield return called;
        }
    }
}
