using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>What a model costs.</summary>
/// <param name="Parameters">Elements of its trained tensors.</param>
/// <param name="Macs">Multiply-accumulate operations for one sample, of the extents of the data where they are known.</param>
public readonly record struct Cost(long Parameters, long Macs);

/// <summary>
/// Costs of a marked model's subnets, from the graph alone: a node counts when an architecture reaches it from the outputs. For a model
/// without choices the one architecture is the model.
/// </summary>
public sealed class ModelCost
{
    /// <summary>Measures every node. Nodes whose operator is not supported count nothing.</summary>
    /// <param name="space">The marked model's decisions.</param>
    /// <param name="extents">The extents of its inputs; those that it declares, a symbol counted as 1, unless given.</param>
    public ModelCost(SearchSpace space, InputExtents? extents = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        extents ??= InputExtents.Declared;
        Liveness = new(space);
        var graph = space.Model.Graph;
        var readers = new OrderedDictionary<Value, List<Node>>();
        foreach (var node in graph.Nodes)
        {
            foreach (var weight in Graph.Reads(node).Where(v => v is { Trains: true, Initializer: not null }).Distinct())
            {
                if (!readers.TryGetValue(weight, out var nodes))
                    readers[weight] = nodes = [];
                nodes.Add(node);
            }
        }

        var work = new NodeWork(space.Model, extents);
        Macs = new(space, Liveness, CostKind.Macs, 0, graph.Nodes.Zip(work.All(), (node, macs) => new CostPart([node], macs)).Where(p => p.Value > 0));
        Parameters = new(space, Liveness, CostKind.Params, 0, readers.Select(r => new CostPart(r.Value, r.Key.Initializer!.ElementCount)));
        Assumed = [.. extents.Assumed(graph), .. work.Assumed];
        if (work.Uncounted is [var first, .. var more])
        {
            var others = more.Length > 0 ? FormattableString.Invariant($" and {more.Length} more") : "";
            WhyIncomplete = $"The MACs leave out '{first}'{others}, since its extents are not known, or too large to count.";
        }
    }

    /// <summary>What is not known before running, and how it counts, as sentences.</summary>
    public IReadOnlyList<string> Assumed { get; }

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
}
