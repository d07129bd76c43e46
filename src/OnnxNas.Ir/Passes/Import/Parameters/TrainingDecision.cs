namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// Decides what trains: every float constant that a gradient of the outputs reaches, unless there is a reason against it. A model is decided once, and what is made of it
/// later (a supernet, a pruned model) keeps the decision, so that a constant that a pass computes never becomes a weight.
/// </summary>
public sealed class TrainingDecision
{
    private readonly IParameterRules rules;
    private readonly IReadOnlyDictionary<string, int> opsets;
    private readonly GradientReach reach;
    private readonly TrainingPatterns patterns;
    private readonly bool namesAreModules;
    private readonly HashSet<Value> statistics = [];
    private readonly HashSet<Value> trained = [];
    private readonly List<FixedInitializer> fixedOnes = [];
    private readonly List<Value> all = [];

    private TrainingDecision(Model model, IParameterRules rules, TrainingPatterns patterns)
    {
        (this.rules, this.patterns, opsets) = (rules, patterns, model.OpsetVersions());
        // PyTorch names parameters and buffers after their modules, and writes literals as Constant nodes.
        namesAreModules = model.ProducerName?.StartsWith("pytorch", StringComparison.OrdinalIgnoreCase) == true;
        reach = new(model, rules);
        var graphs = new GraphEditor(model).Graphs;
        foreach (var node in graphs.SelectMany(g => g.Nodes))
            statistics.UnionWith(rules.BufferInputs(node, opsets).Select(node.Input).OfType<Value>());
        var constants = graphs.SelectMany(g => g.Initializers.Concat(g.Nodes.Where(n => n is { OpType: "Constant", Domain: "" }).Select(n => n.Output))).ToList();
        patterns.RequireMatches([.. constants.Where(v => v.Element.IsFloatingPoint() || ConstantFacts.Constant(v)?.Type.IsFloatingPoint() == true).Select(v => v.Name)]);
        foreach (var value in constants)
        {
            if (Data(value) is not { ElementCount: > 0 } data)
                continue;
            all.Add(value);
            if (data.Type.IsFloatingPoint())
                Decide(value, data);
            else if (IsWeightOfIntegers(value, data))
                fixedOnes.Add(new(value.Name, data.Type, data.ElementCount, "it holds integers", MayBeMeant: true));
        }
    }

    /// <summary>The decision, without writing it down.</summary>
    /// <exception cref="UsageException">A pattern matches nothing, or asks for what no gradient reaches.</exception>
    public static TrainingDecision Of(Model model, IParameterRules rules, TrainingPatterns? patterns = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(rules);
        return new(model, rules, patterns ?? TrainingPatterns.None);
    }

    /// <summary>Whether the constants of a model have been decided.</summary>
    public static bool IsMade(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Graph.Initializers.Any(v => v.Trains is not null);
    }

    /// <summary>Decides a model unless that was done before.</summary>
    public static void Ensure(Model model, IParameterRules rules)
    {
        if (!IsMade(model))
            Of(model, rules).Write();
    }

    /// <summary>What trains.</summary>
    public IReadOnlySet<Value> Trained => trained;

    /// <summary>What does not, and why; of Constant nodes those that hold more than one number.</summary>
    public IReadOnlyList<FixedInitializer> Fixed => fixedOnes;

    /// <summary>Notes the decision at the model's constants.</summary>
    public void Write()
    {
        foreach (var value in all)
            value.Trains = trained.Contains(value);
    }

    private static TensorData? Data(Value value) => value.Initializer ?? ConstantFacts.Constant(value);

    private void Decide(Value value, TensorData data)
    {
        var routes = reach.Routes(value);
        // A wildcard means weights; running statistics that it matches too go on as they are.
        if (TrainingPatterns.Match(patterns.Train, value.Name) is { } wanted && !(statistics.Contains(value) && wanted != value.Name))
        {
            if ((statistics.Contains(value) ? "it holds running statistics, which move by themselves" : routes.Count == 0 ? reach.WhyNone(value) : null) is { } obstacle)
                throw new UsageException($"'{value.Name}', which the pattern '{wanted}' asks to train, cannot be trained: {obstacle}. Take it out of the pattern.");
            trained.Add(value);
            return;
        }

        if (WhyFixed(value, data, routes) is not { } reason)
            trained.Add(value);
        else if (value.Initializer is not null || data.ElementCount > 1)
            fixedOnes.Add(new(value.Name, data.Type, data.ElementCount, reason, MayBeMeant(value, data, routes)));
    }

    private string? WhyFixed(Value value, TensorData data, IReadOnlyList<Use> routes)
    {
        if (statistics.Contains(value))
            return "it holds running statistics";
        if (routes.Count == 0)
            return reach.WhyNone(value);
        if (TrainingPatterns.Match(patterns.Freeze, value.Name) is { } pattern)
            return $"it is frozen by the pattern '{pattern}'";
        if (value.Initializer is null)
            return "it is a literal of the formula: a Constant node holds it";
        return ParameterNames.WhyFixed(value.Name)
            ?? (!ConstantFacts.IsFinite(data) && data.Type != ElementType.BFloat16 ? "it holds infinite numbers" : null)
            ?? (PositionTable.IsSines(data) ? "it is a table of sines, or an even grid" : null)
            ?? (data.ElementCount == 1 && IsLiteral(value, routes) ? "it is a single number, and its name is not known as that of a parameter" : null)
            ?? WhyFixed(value, value, data, routes);
    }

    // The reason that holds of every way a gradient comes by; a weight that is also read as a mask is a weight.
    private string? WhyFixed(Value constant, Value value, TensorData data, IReadOnlyList<Use> routes)
    {
        string? first = null;
        foreach (var (node, input) in routes)
        {
            var reason = ParameterSources.IsMovement(node) || node is { OpType: "Expand" or "Tile", Domain: "" }
                ? node.Outputs.OfType<Value>().Where(o => reach.Routes(o).Count > 0).Select(o => WhyFixed(constant, o, data, reach.Routes(o))).DefaultIfEmpty(null).Aggregate((a, b) => a is null || b is null ? null : a)
                : FixedConstants.WhyFixed(data, value, node) ?? (ScalesIntegers(node, input) ? "it scales a weight of integers" : null);
            if (reason is null)
                return null;
            first ??= reason;
        }

        return first;
    }

    // One number: a gate or a temperature of its author's, or a literal that an exporter has put into an initializer.
    private bool IsLiteral(Value value, IReadOnlyList<Use> routes) =>
        !ParameterNames.IsParameter(value.Name)
        && !routes.Any(IsWeightPosition)
        && !routes.Any(r => IsBias(value, r))
        && (ParameterNames.IsAutomatic(value.Name) || ParameterNames.IsLiteral(value.Name) || !namesAreModules);

    private bool IsWeightPosition(Use use) => use.Node.OpType is not ("Add" or "Sub" or "Mul" or "Div") && rules.ParameterInputs(use.Node, opsets).Contains(use.Index);

    // x·W + b with one output.
    private static bool IsBias(Value value, Use use) =>
        use.Node is { OpType: "Add", Domain: "" } && value.Initializer?.Dims.Count > 0 && use.Node.Inputs.Any(i => i?.Producer is { OpType: "MatMul" or "Conv" or "Gemm" or "Einsum", Domain: "" });

    private static bool ScalesIntegers(Node node, int input) =>
        node.OpType is "Mul" or "Div" && node.Inputs.Count == 2 && node.Inputs[1 - input] is { } other && ParameterSources.Of(other) is { Count: > 0 } sources && sources.All(s => Data(s)?.Type.IsInteger() == true);

    // Integers that become floats which train like a weight would.
    private bool IsWeightOfIntegers(Value value, TensorData data) =>
        data.Type.IsInteger() && data.ElementCount > 1 && value.Uses.Any(u => u is { Index: 0, Node: { OpType: "Cast" or "DequantizeLinear", Domain: "" } maker } && reach.Routes(maker.Output).Count > 0);

    private bool MayBeMeant(Value value, TensorData data, IReadOnlyList<Use> routes) =>
        value.Initializer is not null && !statistics.Contains(value) && !ParameterNames.IsAutomatic(value.Name) && ParameterNames.WhyFixed(value.Name) is null
        && (routes.Count > 0 ? data.ElementCount == 1 && !ParameterNames.IsLiteral(value.Name) : ParameterNames.IsParameter(value.Name));
}
