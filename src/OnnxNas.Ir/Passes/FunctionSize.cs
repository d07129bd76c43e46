namespace OnnxNas.Ir.Passes;

/// <summary>How many nodes calls of functions expand to, and how deep they nest: known before anything is expanded.</summary>
internal sealed class FunctionSize(IReadOnlyDictionary<(string Domain, string Name, string Overload), Function> functions)
{
    // Far more than any model has, and few enough to hold.
    private const long MostNodes = 1_000_000;

    // Functions within functions and graphs within nodes. Later passes and the executor recurse as deep.
    private const int MostLevels = 100;

    private readonly Dictionary<Function, (long Nodes, int Levels)> known = [];

    /// <summary>Whether the measured graph calls a function, directly or through others.</summary>
    public bool IsCalled(Function function) => known.ContainsKey(function);

    /// <summary>Refuses a graph that expands to too much.</summary>
    /// <exception cref="ModelFormatException">Too many nodes, too many levels, or a function that calls itself.</exception>
    public void Require(Graph graph)
    {
        var (nodes, levels) = Measure(graph, 0);
        if (nodes > MostNodes)
            throw new ModelFormatException($"The model's functions expand to more than {MostNodes} nodes. Call them less often within one another.");
        if (levels > MostLevels)
            throw TooDeep();
    }

    private (long Nodes, int Levels) Measure(Graph graph, int level)
    {
        // A function that calls itself never ends, so it is caught here too.
        if (level > MostLevels)
            throw TooDeep();
        var (nodes, levels) = (0L, 0);
        foreach (var node in graph.Nodes)
        {
            nodes++;
            foreach (var inner in node.Subgraphs)
                Add(Measure(inner, level + 1));
            if (!functions.TryGetValue((node.Domain, node.OpType, node.Overload), out var function))
                continue;
            if (!known.TryGetValue(function, out var size))
                known[function] = size = Measure(function.Body, level + 1);
            Add(size);
        }

        return (nodes, levels);

        void Add((long Nodes, int Levels) inner)
        {
            nodes = Math.Min(nodes + inner.Nodes, MostNodes + 1);
            levels = Math.Max(levels, inner.Levels + 1);
        }
    }

    private static ModelFormatException TooDeep() =>
        new($"The model's functions nest deeper than {MostLevels} levels, or call themselves. Call them side by side instead.");
}
