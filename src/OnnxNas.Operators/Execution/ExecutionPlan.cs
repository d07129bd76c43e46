using OnnxNas.Ir;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// A graph turned into numbered steps over numbered slots (one a value). Built once, shared by all runs.
/// </summary>
internal sealed class ExecutionPlan
{
    private readonly Dictionary<Value, int> slots = [];
    private readonly Dictionary<int, int[]> closures = [];

    public ExecutionPlan(Graph graph, OperatorRegistry registry, IReadOnlyDictionary<string, int> opsets)
    {
        Graph = graph;
        var steps = new List<Step>(graph.NodeCount);
        foreach (var value in graph.Values)
            slots[value] = slots.Count;
        Captured = [.. graph.Captured().Distinct()];
        foreach (var value in Captured)
            slots[value] = slots.Count;
        foreach (var node in graph.Nodes)
        {
            var bound = registry.Bind(node, opsets);
            if (node.Subgraphs.Any() && bound is not ControlFlowOperator)
                throw new UnsupportedOperatorException($"{node}: the operator takes no subgraphs.");
            var bodies = node.Attributes.Values.Where(a => a.Kind == AttrKind.Graph)
                .ToDictionary(a => a.Name, a => new ExecutionPlan(a.AsGraph(), registry, opsets), StringComparer.Ordinal);
            var captured = bodies.Values.SelectMany(b => b.Captured).Distinct().Select(SlotOf);
            steps.Add(new(node, bound, [.. node.Inputs.Select(SlotOrNone), .. captured], [.. node.Outputs.Select(SlotOrNone)], bodies));
        }

        Steps = [.. steps];
        Makers = new int[slots.Count];
        Array.Fill(Makers, -1);
        Demand = new int[slots.Count];
        for (var s = 0; s < Steps.Length; s++)
        {
            foreach (var output in Steps[s].Outputs.Where(o => o >= 0))
                Makers[output] = s;
            foreach (var input in Steps[s].Inputs.Where(i => i >= 0))
                Demand[input]++;
        }

        OutputSlots = [.. graph.Outputs.Select(SlotOf)];
        foreach (var output in OutputSlots)
            Demand[output]++;
        Names = new string[slots.Count];
        foreach (var (value, slot) in slots)
            Names[slot] = value.Name;
    }

    public Graph Graph { get; }

    public Step[] Steps { get; }

    /// <summary>Values of graphs around that the graph, or one within, reads.</summary>
    public IReadOnlyList<Value> Captured { get; }

    /// <summary>The plan and those of the graphs that its nodes hold.</summary>
    public IEnumerable<ExecutionPlan> WithBodies() => Steps.SelectMany(s => s.Bodies.Values).SelectMany(b => b.WithBodies()).Prepend(this);

    /// <summary>The step that makes a slot; -1 for inputs and constants.</summary>
    public int[] Makers { get; }

    /// <summary>How many step inputs and graph outputs read a slot.</summary>
    public int[] Demand { get; }

    public int[] OutputSlots { get; }

    public string[] Names { get; }

    public int SlotCount => slots.Count;

    public int SlotOf(Value value) => slots[value];

    /// <summary>
    /// The steps a slot certainly needs, in order: its maker and that one's makers, not looking behind the inputs of
    /// lazy steps, which are computed when asked for.
    /// </summary>
    public int[] StepsFor(int slot)
    {
        if (closures.TryGetValue(slot, out var known))
            return known;
        var needed = new SortedSet<int>();
        var open = new Stack<int>([Makers[slot]]);
        while (open.TryPop(out var step))
        {
            if (step < 0 || !needed.Add(step) || Steps[step].Operator is LazyOperator)
                continue;
            foreach (var input in Steps[step].Inputs.Where(i => i >= 0))
                open.Push(Makers[input]);
        }

        return closures[slot] = [.. needed];
    }

    private int SlotOrNone(Value? value) => value is null ? -1 : SlotOf(value);

    /// <summary>One node. Its input slots are those of the node's inputs, then those of the values its bodies capture.</summary>
    internal sealed record Step(Node Node, OnnxOperator Operator, int[] Inputs, int[] Outputs, IReadOnlyDictionary<string, ExecutionPlan> Bodies);
}
