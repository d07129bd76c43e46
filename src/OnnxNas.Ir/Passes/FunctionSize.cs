namespace OnnxNas.Ir.Passes;

/// <summary>How much calls of functions expand to, and how deep they nest: known before anything is expanded.</summary>
internal sealed class FunctionSize(IReadOnlyDictionary<(string Domain, string Name, string Overload), Function> functions)
{
    // Nodes, their inputs, outputs and attributes: some 20,000 nodes, which a large model has and which are held in a second.
    private const long FewParts = 100_000;

    // A model that is large as filed may grow in proportion: functions are there to be called more than once.
    private const long MostGrowth = 4;

    // Functions within functions and graphs within nodes. Later passes and the executor recurse as deep.
    private const int MostLevels = 100;

    private readonly Dictionary<Function, (long Parts, int Levels)> known = [];
    private long mostParts;

    /// <summary>Whether the measured graph calls a function, directly or through others.</summary>
    public bool IsCalled(Function function) => known.ContainsKey(function);

    /// <summary>Refuses a graph that expands to too much.</summary>
    /// <exception cref="ModelFormatException">Too many nodes, too many levels, or a function that calls itself.</exception>
    public void Require(Graph graph)
    {
        mostParts = Math.Max(FewParts, MostGrowth * functions.Values.Select(f => f.Body).Prepend(graph).Sum(Filed));
        var (parts, levels) = Measure(graph, 0);
        if (parts > mostParts)
            throw new ModelFormatException($"The model's functions expand to more than {mostParts} nodes, inputs, outputs and attributes, which is the most for a file of its size. Call them less often within one another.");
        if (levels > MostLevels)
            throw TooDeep();
    }

    private (long Parts, int Levels) Measure(Graph graph, int level)
    {
        // A function that calls itself never ends, so it is caught here too.
        if (level > MostLevels)
            throw TooDeep();
        var (parts, levels) = (0L, 0);
        foreach (var node in graph.Nodes)
        {
            parts += PartsOf(node);
            foreach (var inner in node.Subgraphs)
                Add(Measure(inner, level + 1));
            if (!functions.TryGetValue((node.Domain, node.OpType, node.Overload), out var function))
                continue;
            if (!known.TryGetValue(function, out var size))
                known[function] = size = OfCall(function, Measure(function.Body, level + 1));
            Add(size);
        }

        return (parts, levels);

        void Add((long Parts, int Levels) inner)
        {
            parts = Math.Min(parts + inner.Parts, mostParts + 1);
            levels = Math.Max(levels, inner.Levels + 1);
        }
    }

    private static long PartsOf(Node node) => 1 + node.Inputs.Count + node.Outputs.Count + node.Attributes.Count;

    private static long Filed(Graph graph) => graph.Nodes.Sum(n => PartsOf(n) + n.Subgraphs.Sum(Filed));

    private static (long Parts, int Levels) OfCall(Function function, (long Parts, int Levels) body) =>
        (body.Parts + function.Body.Inputs.Count + function.Body.Outputs.Count + function.AttributeDefaults.Count, body.Levels);

    private static ModelFormatException TooDeep() =>
        new($"The model's functions nest deeper than {MostLevels} levels, or call themselves. Call them side by side instead.");
}
