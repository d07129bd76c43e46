using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// The order in which a list of node messages can be read. ONNX wants nodes after those they read from; runtimes also take
/// other orders, and some tools write them. A list that is in order keeps it.
/// </summary>
internal static class NodeOrder
{
    /// <summary>The nodes in order, and those of them that stood too early.</summary>
    /// <param name="nodes">The nodes of one graph.</param>
    /// <param name="isKnown">Whether a name is defined already: by an input, an initializer or a graph around.</param>
    /// <param name="graph">The graph's name.</param>
    /// <exception cref="ModelFormatException">The nodes form a cycle.</exception>
    public static (IReadOnlyList<NodeProto> Nodes, IReadOnlyList<NodeProto> Early) Of(RepeatedField<NodeProto> nodes, Func<string, bool> isKnown, string graph)
    {
        var makers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var output in nodes[i].Output)
                makers.TryAdd(output, i);
        }

        var needs = nodes.Select(n => Reads(n).Where(name => makers.ContainsKey(name) && !isKnown(name)).Select(name => makers[name]).ToHashSet()).ToList();
        NodeProto[] early = [.. nodes.Where((_, i) => needs[i].Any(maker => maker >= i))];
        if (early.Length == 0)
            return (nodes, early);
        var (order, cycle) = TopologicalOrder.Of(needs);
        return cycle.Count == 0
            ? ([.. order.Select(i => nodes[i])], early)
            : throw new ModelFormatException($"Graph '{graph}' has a cycle: {TopologicalOrder.Show(cycle, i => Show(nodes[i]))}. ONNX graphs must be acyclic; remove one of these connections.");
    }

    /// <summary>A node as error messages show it.</summary>
    public static string Show(NodeProto proto)
    {
        var domain = Entries.Domain(proto.Domain);
        var op = domain.Length == 0 ? proto.OpType : $"{domain}::{proto.OpType}";
        return $"{op} '{Label(proto)}'";
    }

    /// <summary>The name of a node, or of its first output.</summary>
    public static string Label(NodeProto proto) => proto.Name.Length > 0 ? proto.Name : proto.Output.FirstOrDefault() ?? "";

    // What a node and the graphs it holds read of the graphs around.
    private static IEnumerable<string> Reads(NodeProto node) =>
        node.Input.Where(name => name.Length > 0).Concat(node.Attribute.SelectMany(a => a.G is null ? a.Graphs : a.Graphs.Prepend(a.G)).SelectMany(Captured));

    private static IEnumerable<string> Captured(GraphProto graph)
    {
        var own = graph.Input.Select(i => i.Name)
            .Concat(graph.Initializer.Select(i => i.Name))
            .Concat(graph.SparseInitializer.Select(i => i.Values?.Name ?? ""))
            .Concat(graph.Node.SelectMany(n => n.Output))
            .ToHashSet(StringComparer.Ordinal);
        return graph.Node.SelectMany(Reads).Concat(graph.Output.Select(o => o.Name)).Where(name => !own.Contains(name));
    }
}
