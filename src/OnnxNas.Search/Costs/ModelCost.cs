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
        return Of(label => architecture[label]);
    }

    /// <summary>
    /// The least and the most parameters and MACs among the subnets. Found label by label, again until nothing improves, which is exact where decisions
    /// do not depend on each other.
    /// </summary>
    public (Cost Smallest, Cost Largest) Range()
    {
        var least = (Extreme(c => -c.Parameters), Extreme(c => -c.Macs));
        var most = (Extreme(c => c.Parameters), Extreme(c => c.Macs));
        return (new(least.Item1.Parameters, least.Item2.Macs), new(most.Item1.Parameters, most.Item2.Macs));
    }

    private static long OneSample(Dim? work)
    {
        if (work is null)
            return 0;
        return work.Evaluate(work.Symbols().ToDictionary(s => s, _ => 1L)) ?? 0;
    }

    private Cost Extreme(Func<Cost, long> rank)
    {
        var chosen = space.Choices.ToDictionary(c => c.Label, c => Architecture.First(space)[c.Label]);
        var best = Of(label => chosen[label]);
        for (var improved = true; improved;)
        {
            improved = false;
            foreach (var choice in space.Choices)
            {
                foreach (var option in Neighbours(choice, chosen[choice.Label]))
                {
                    var before = chosen[choice.Label];
                    chosen[choice.Label] = option;
                    var cost = Of(label => chosen[label]);
                    if (rank(cost) > rank(best))
                        (best, improved) = (cost, true);
                    else
                        chosen[choice.Label] = before;
                }
            }
        }

        return best;
    }

    // Single candidates; for several inputs, each exchange of one for another, and for any number also adding and removing one.
    private static IEnumerable<IReadOnlyList<int>> Neighbours(Choice choice, IReadOnlyList<int> present)
    {
        for (var k = 0; k < choice.Candidates.Count; k++)
        {
            if (choice is LayerChoice)
            {
                yield return [k];
                continue;
            }

            var isAny = choice is InputChoice { ChosenCount: 0 };
            if (present.Contains(k))
            {
                if (isAny && present.Count > 1)
                    yield return [.. present.Where(i => i != k)];
                continue;
            }

            if (isAny)
                yield return [.. present.Append(k).Order()];
            foreach (var leaving in present)
                yield return [.. present.Where(i => i != leaving).Append(k).Order()];
        }
    }

    private Cost Of(Func<string, IReadOnlyList<int>> selection)
    {
        var chosen = space.Choices.SelectMany(c => c.Nodes.Select(n => (n, Selection: selection(c.Label)))).ToDictionary(p => p.n, p => p.Selection);
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

        return Sum(live);
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
