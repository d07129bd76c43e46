namespace OnnxNas.Ir.Passes;

/// <summary>
/// Edits shared by passes. Knows which values a subgraph returns without making them: no node reads those,
/// so <see cref="Value.Uses"/> does not show them. Stale once a node with a subgraph is removed.
/// </summary>
internal sealed class GraphEditor
{
    /// <summary>The first file format in which an initializer need not be a graph input.</summary>
    public const int FreeInitializers = 4;
    private readonly Model model;
    private readonly List<Graph> graphs = [];
    private readonly Dictionary<Value, List<(Graph Graph, int Index)>> returned = [];

    public GraphEditor(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        this.model = model;
        Collect(model.Graph);
    }

    /// <summary>The main graph, then all subgraphs; a graph comes before those inside it.</summary>
    public IReadOnlyList<Graph> Graphs => graphs;

    /// <summary>Whether a node, the caller, or the caller of a subgraph reads the value.</summary>
    public bool IsRead(Value value) => value.Uses.Count > 0 || returned.ContainsKey(value) || value.IsOutput;

    /// <summary>Makes everything that reads <paramref name="old"/> read <paramref name="replacement"/>; a graph output keeps its name.</summary>
    public void Replace(Value old, Value replacement)
    {
        old.Graph.Rewire(old, replacement);
        if (!returned.Remove(old, out var places))
            return;
        foreach (var (graph, index) in places)
        {
            graph.ReplaceOutput(index, replacement);
            NoteReturned(replacement, graph, index);
        }
    }

    /// <summary>Replaces a node by the constants it computes; null for an output that nothing reads. They keep the outputs' names.</summary>
    public void ReplaceByConstants(Node node, IReadOnlyList<TensorData?> results)
    {
        if (node.Outputs.Count > results.Count && node.Outputs.Skip(results.Count).Any(o => o is not null))
            throw new ModelFormatException($"{node} has {node.Outputs.Count} outputs; its operator makes {results.Count}. Remove the others.");
        var renames = new List<(Value Constant, string Name)>();
        for (var i = 0; i < Math.Min(node.Outputs.Count, results.Count); i++)
        {
            if (node.Outputs[i] is not { } output || results[i] is not { } data)
                continue;
            var (name, isOutput) = (output.Name, output.IsOutput);
            var constant = AddConstant(node.Graph, name, data);
            (constant.DocString, constant.Trains) = (output.DocString, output.Trains);
            Replace(output, constant);
            if (!isOutput)
                renames.Add((constant, name));
        }

        node.Graph.RemoveNode(node);
        foreach (var (constant, name) in renames)
            node.Graph.Rename(constant, name);
    }

    /// <summary>Adds a constant under a fresh name.</summary>
    public Value AddConstant(Graph graph, string baseName, TensorData data)
    {
        model.IrVersion = Math.Max(model.IrVersion, FreeInitializers);
        return graph.AddConstant(baseName, data);
    }

    private void Collect(Graph graph)
    {
        graphs.Add(graph);
        for (var i = 0; i < graph.Outputs.Count; i++)
        {
            if (graph.Outputs[i].Graph != graph)
                NoteReturned(graph.Outputs[i], graph, i);
        }

        foreach (var node in graph.Nodes)
        {
            foreach (var inner in node.Subgraphs)
                Collect(inner);
        }
    }

    private void NoteReturned(Value value, Graph graph, int index)
    {
        // A value of the graph itself is an ordinary output, which Value.IsOutput shows.
        if (value.Graph == graph)
            return;
        if (!returned.TryGetValue(value, out var places))
            returned[value] = places = [];
        places.Add((graph, index));
    }
}
