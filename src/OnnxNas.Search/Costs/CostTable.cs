using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>A share of a cost, due when one of the nodes is needed.</summary>
internal sealed record CostPart(IReadOnlyList<Node> Nodes, double Value);

/// <summary>
/// A cost as a sum over the parts of a marked model, so that every architecture has its cost at once, and a supernet an <see cref="ExpectedCost"/>.
/// Exact for MACs and parameters, a prediction for latency.
/// </summary>
public sealed class CostTable
{
    private readonly double always;
    private readonly List<(int[] Groups, double Value)> shares;

    internal CostTable(SearchSpace space, Liveness liveness, CostKind kind, double always, IEnumerable<CostPart> parts)
    {
        (Space, Liveness, Kind, this.always) = (space, liveness, kind, always);
        Parts = [.. parts];
        shares = [.. Parts
            .Select(p => (Groups: p.Nodes.Select(liveness.GroupOf).Where(g => g >= 0).Distinct().Order().ToArray(), p.Value))
            .Where(p => p.Groups.Length > 0)
            .GroupBy(p => string.Join(',', p.Groups))
            .Select(same => (same.First().Groups, same.Sum(p => p.Value)))];
    }

    /// <summary>The decisions the cost depends on.</summary>
    public SearchSpace Space { get; }

    /// <summary>What is counted.</summary>
    public CostKind Kind { get; }

    /// <summary>All parts together, as if every candidate of every choice were there.</summary>
    public double Supernet => always + Parts.Sum(p => p.Value);

    internal IReadOnlyList<CostPart> Parts { get; }

    internal Liveness Liveness { get; }

    /// <summary>The shares by the groups of nodes any of which makes one due; the empty list is always due.</summary>
    internal IEnumerable<(IReadOnlyList<int> Groups, double Value)> Shares => shares.Select(s => ((IReadOnlyList<int>)s.Groups, s.Value)).Prepend(([], always));

    /// <summary>The cost of an architecture.</summary>
    public double Of(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return Of(Liveness.Of(architecture.Selections));
    }

    /// <summary>
    /// The least and the most an architecture costs, by <see cref="ExtremeSubnet"/>: exact where decisions do not depend on
    /// each other but by standing in one another's candidates.
    /// </summary>
    public (double Smallest, double Largest) Range() =>
        (-new ExtremeSubnet(Space, Liveness, (_, live) => -Of(live)).Find().Rank, new ExtremeSubnet(Space, Liveness, (_, live) => Of(live)).Find().Rank);

    internal double Of(bool[] live)
    {
        var sum = always;
        foreach (var (groups, value) in shares)
        {
            foreach (var group in groups)
            {
                if (live[group])
                {
                    sum += value;
                    break;
                }
            }
        }

        return sum;
    }
}
