using OnnxNas.Ir;

namespace OnnxNas.Search.Rewriting;

/// <summary>Where the candidates of a marker part: the last value that all of them are computed from and that no path from a graph input passes by.</summary>
internal sealed class CommonInput
{
    private readonly Dictionary<Value, int> positions = [];

    /// <summary>Looks at a graph as it is now. Zeros are made of nothing, and a shape is no data.</summary>
    public CommonInput(Graph graph, IReadOnlySet<Value> zeros)
    {
        var position = 0;
        foreach (var input in graph.Inputs.Where(i => i.Initializer is null))
            positions[input] = position++;
        foreach (var node in graph.Nodes.Where(n => n.OpType is not ("Shape" or "Size") && Graph.Reads(n).Any(positions.ContainsKey)))
        {
            foreach (var output in node.Outputs.OfType<Value>().Where(o => !zeros.Contains(o)))
                positions[output] = position;
            position++;
        }
    }

    /// <summary>The value, or null where candidates start at several graph inputs, or all are constant.</summary>
    public Value? Of(Node marker)
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
