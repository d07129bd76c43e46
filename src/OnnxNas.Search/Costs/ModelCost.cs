using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
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
    /// <summary>Measures every node. Nodes whose operator is not supported count nothing.</summary>
    public ModelCost(SearchSpace space, InferenceResult types)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(types);
        Liveness = new(space);
        var opsets = space.Model.OpsetVersions();
        var work = new List<CostPart>();
        var uncounted = new List<string>();
        var readers = new OrderedDictionary<Value, List<Node>>();
        foreach (var node in space.Model.Graph.Nodes)
        {
            if (SupernetOperators.Registry.WhyUnsupported(node, opsets) is not null)
                continue;
            var bound = SupernetOperators.Registry.Bind(node, opsets);
            foreach (var weight in ParameterRule.TrainedBy(node, bound))
            {
                if (!readers.TryGetValue(weight, out var nodes))
                    readers[weight] = nodes = [];
                nodes.Add(node);
            }

            if (OneSample(bound, types.Context(node), types.Outputs(node)) is not { } macs)
                uncounted.Add(node.Label);
            else if (macs > 0)
                work.Add(new([node], macs));
        }

        if (uncounted.Count > 0)
        {
            var others = uncounted.Count > 1 ? FormattableString.Invariant($" and {uncounted.Count - 1} more") : "";
            WhyIncomplete = $"The MACs leave out '{uncounted[0]}'{others}, since its extents are too large for 64 bits to count.";
        }

        Macs = new(space, Liveness, CostKind.Macs, 0, work);
        Parameters = new(space, Liveness, CostKind.Params, 0, readers.Select(r => new CostPart(r.Value, ParameterRule.ConstantOf(r.Key)!.ElementCount)));
    }

    /// <summary>Multiply-accumulate operations.</summary>
    public CostTable Macs { get; }

    /// <summary>Trained parameters. A tensor that several nodes read counts once.</summary>
    public CostTable Parameters { get; }

    /// <summary>Which nodes the MACs leave out, and why; null where they are complete.</summary>
    public string? WhyIncomplete { get; }

    /// <summary>The whole supernet: every candidate of every choice.</summary>
    public Cost Supernet => new((long)Parameters.Supernet, (long)Macs.Supernet);

    internal Liveness Liveness { get; }

    /// <summary>The subnet of an architecture.</summary>
    public Cost Of(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        var live = Liveness.Of(architecture.Selections);
        return new((long)Parameters.Of(live), (long)Macs.Of(live));
    }

    /// <summary>The least and the most parameters and MACs among the subnets, as <see cref="CostTable.Range"/> finds them.</summary>
    public (Cost Smallest, Cost Largest) Range()
    {
        var (parameters, macs) = (Parameters.Range(), Macs.Range());
        return (new((long)parameters.Smallest, (long)macs.Smallest), new((long)parameters.Largest, (long)macs.Largest));
    }

    // Null where the number does not fit.
    private static long? OneSample(OnnxOperator bound, InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        try
        {
            return bound.MultiplyAccumulates(context, outputs) is { } work ? work.Evaluate(work.Symbols().ToDictionary(s => s, _ => 1L)) ?? 0 : 0;
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            return null;
        }
    }
}
