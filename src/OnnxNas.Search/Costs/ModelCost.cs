using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Costs;

/// <summary>What a model costs.</summary>
/// <param name="Parameters">Elements of its trained tensors.</param>
/// <param name="Macs">Multiply-accumulate operations for one sample.</param>
public readonly record struct Cost(long Parameters, long Macs);

/// <summary>
/// Costs of a marked model's subnets, from the graph alone: a node counts when an architecture reaches it from the outputs. For a model
/// without choices the one architecture is the model.
/// </summary>
public sealed class ModelCost
{
    private readonly SearchSpace space;
    private readonly Dictionary<Node, long> macs = [];
    private readonly Dictionary<Node, List<Value>> parameters = [];

    /// <summary>Measures every node. Nodes whose operator is not supported count nothing.</summary>
    public ModelCost(SearchSpace space, InferenceResult types)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(types);
        this.space = space;
        var opsets = space.Model.OpsetVersions();
        foreach (var node in space.Model.Graph.Nodes)
        {
            if (SupernetOperators.Registry.WhyUnsupported(node, opsets) is not null)
                continue;
            var bound = SupernetOperators.Registry.Bind(node, opsets);
            parameters[node] = [.. bound.ParameterInputs.Select(node.Input).Where(v => v is not null && ParameterRule.IsTrained(v, node)).Select(v => v!)];
            macs[node] = OneSample(bound.MultiplyAccumulates(types.Context(node), types.Outputs(node)));
        }
    }

    /// <summary>The whole supernet: every candidate of every choice.</summary>
    public Cost Supernet => Sum(space.Model.Graph.Nodes);

    /// <summary>The subnet of an architecture.</summary>
    public Cost Of(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return Measure(architecture.Selections).Cost;
    }

    /// <summary>
    /// The least and the most parameters and MACs among the subnets, by <see cref="ExtremeSubnet"/>: exact where decisions do not depend on
    /// each other but by standing in one another's candidates.
    /// </summary>
    public (Cost Smallest, Cost Largest) Range()
    {
        return (new(Extreme(c => -c.Parameters).Parameters, Extreme(c => -c.Macs).Macs), new(Extreme(c => c.Parameters).Parameters, Extreme(c => c.Macs).Macs));

        Cost Extreme(Func<Cost, long> rank) => new ExtremeSubnet(space, Measure, rank).Find();
    }

    private static long OneSample(Dim? work)
    {
        if (work is null)
            return 0;
        return work.Evaluate(work.Symbols().ToDictionary(s => s, _ => 1L)) ?? 0;
    }

    // The subnet of a selection, and the nodes it consists of, markers included.
    private (Cost Cost, HashSet<Node> Live) Measure(IReadOnlyDictionary<string, IReadOnlyList<int>> selection)
    {
        var chosen = space.Choices.SelectMany(c => c.Nodes.Select(n => (n, Selection: selection[c.Label]))).ToDictionary(p => p.n, p => p.Selection);
        var live = new HashSet<Node>();
        var open = new Stack<Value>(space.Model.Graph.Outputs);
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { } node || !live.Add(node))
                continue;
            var reads = chosen.TryGetValue(node, out var picked) ? picked.Select(i => node.Inputs[i]!) : Graph.Reads(node);
            foreach (var read in reads)
                open.Push(read);
        }

        return (Sum(live), live);
    }

    private Cost Sum(IEnumerable<Node> nodes)
    {
        long work = 0;
        var weights = new HashSet<Value>();
        foreach (var node in nodes)
        {
            work += macs.GetValueOrDefault(node);
            weights.UnionWith(parameters.GetValueOrDefault(node) ?? []);
        }

        return new(weights.Sum(w => ParameterRule.ConstantOf(w)!.ElementCount), work);
    }
}
