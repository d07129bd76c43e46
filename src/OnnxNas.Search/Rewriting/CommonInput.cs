using OnnxNas.Ir;

namespace OnnxNas.Search.Rewriting;

/// <summary>
/// Where the candidates of a marker part: the last value that all of them are computed from and that no path from a graph input passes by. Zeros are made of nothing, and a
/// shape is no data; only where a single candidate is left do they tell where it starts.
/// </summary>
internal sealed class CommonInput
{
    private readonly Dictionary<Value, int> data;
    private readonly Dictionary<Value, int> all;

    /// <summary>Looks at a graph as it is now.</summary>
    public CommonInput(Graph graph, IReadOnlySet<Value> zeros) =>
        (data, all) = (Positions(graph, n => n.OpType is not ("Shape" or "Size"), o => !zeros.Contains(o)), Positions(graph, _ => true, _ => true));

    private static Dictionary<Value, int> Positions(Graph graph, Predicate<Node> passes, Predicate<Value> isMade)
    {
        var positions = new Dictionary<Value, int>();
        var position = 0;
        foreach (var input in graph.Inputs.Where(i => i.Initializer is null))
            positions[input] = position++;
        foreach (var node in graph.Nodes.Where(n => passes(n) && Graph.Reads(n).Any(positions.ContainsKey)))
        {
            foreach (var output in node.Outputs.OfType<Value>().Where(o => isMade(o)))
                positions[output] = position;
            position++;
        }

        return positions;
    }

    /// <summary>
    /// The value, or null where candidates start at several graph inputs, or all are constant. Of a candidate beside none, or constants only, it is the candidate itself where that
    /// is a graph input or read by something else too; where not, it may as well be what the candidate computes, and there is none.
    /// </summary>
    public Value? Of(Node marker)
    {
        if (marker.Inputs.Count(i => data.ContainsKey(i!)) != 1)
            return Of(marker, data);
        if (marker.Inputs.Where(i => all.ContainsKey(i!)).ToList() is not [{ } alone])
            return Of(marker, all);
        return alone.Producer is null || alone.IsOutput || alone.Uses.Any(u => u.Node != marker) ? alone : null;
    }

    private static Value? Of(Node marker, Dictionary<Value, int> positions)
    {
        // Always the last value that is left is replaced by what it is made of: once there is but one, all go through it.
        var left = new HashSet<Value>(marker.Inputs.OfType<Value>().Where(positions.ContainsKey));
        while (left.Count > 1)
        {
            var last = left.MaxBy(v => positions[v])!;
            if (last.Producer is null)
                return null;
            left.ExceptWith(last.Producer.Outputs.OfType<Value>().ToList());
            left.UnionWith(Graph.Reads(last.Producer).Where(positions.ContainsKey));
        }

        return left.SingleOrDefault();
    }
}
