namespace OnnxNas.Ir.Passes.Import;

/// <summary>Which values a gradient of the model's outputs reaches, found by walking back through the inputs that pass one, bodies of nodes included.</summary>
internal sealed class GradientReach
{
    // Rounding, comparing and picking a class are a handful of nodes; what shapes are made of is long.
    private const int MostSteps = 8;
    private static readonly IReadOnlyList<Use> None = [];
    private readonly IParameterRules rules;
    private readonly IReadOnlyDictionary<string, int> opsets;
    private readonly HashSet<Value> reached = [];
    private readonly Dictionary<Value, List<Use>> routes = [];

    public GradientReach(Model model, IParameterRules rules)
    {
        (this.rules, opsets) = (rules, model.OpsetVersions());
        foreach (var output in model.Graph.Outputs)
            Start(output, 0);
        Visit(model.Graph);
    }

    /// <summary>The reads of a value that a gradient comes back by.</summary>
    public IReadOnlyList<Use> Routes(Value value) => routes.GetValueOrDefault(value) ?? None;

    /// <summary>What stops the gradient on the way from the outputs to a constant that none reaches.</summary>
    public string WhyNone(Value value) => Blocker(value, []) ?? "no output depends on it";

    private string? Blocker(Value value, HashSet<Value> seen)
    {
        if (!seen.Add(value))
            return null;
        foreach (var (node, input) in value.Uses)
        {
            if (rules.WhyNoGradient(node, input, opsets) is { } reason)
                return $"{node.OpType} passes it no gradient: {reason}";
            if (node.Outputs.OfType<Value>().Select(o => Blocker(o, seen)).FirstOrDefault(b => b is not null) is { } later)
                return later;
        }

        return null;
    }

    // An output of classes, indices or rounded numbers is trained in front of what makes it so.
    private void Start(Value value, int depth)
    {
        if (value.Producer is not { } maker || MayBeFloat(value) && (maker.Subgraphs.Any() || maker.Inputs.Index().Any(i => i.Item is { } input && MayBeFloat(input) && rules.WhyNoGradient(maker, i.Index, opsets) is null)))
        {
            Reach([value]);
            return;
        }

        foreach (var input in maker.Inputs.OfType<Value>().Where(i => i.Producer is not null && depth < MostSteps))
            Start(input, depth + 1);
    }

    private void Reach(IEnumerable<Value> values) => reached.UnionWith(values.Where(MayBeFloat));

    private void Visit(Graph graph)
    {
        for (var node = graph.Last; node is not null; node = node.Previous)
        {
            if (!node.Outputs.Any(o => o is not null && reached.Contains(o)))
                continue;
            foreach (var body in node.Subgraphs)
            {
                Reach(body.Outputs);
                Visit(body);
            }

            for (var i = 0; i < node.Inputs.Count; i++)
            {
                if (node.Inputs[i] is not { } value || !MayBeFloat(value) || rules.WhyNoGradient(node, i, opsets) is not null)
                    continue;
                reached.Add(value);
                if (!routes.TryGetValue(value, out var uses))
                    routes[value] = uses = [];
                uses.Add(new(node, i));
            }
        }
    }

    // Training looks straight through integers that are dequantised at once.
    private static bool MayBeFloat(Value value) =>
        value.Element is ElementType.Undefined || value.Element.IsFloatingPoint() || value.Producer is { OpType: "QuantizeLinear", Domain: "" };
}
