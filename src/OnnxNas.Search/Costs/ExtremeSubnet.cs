using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>
/// Looks for the subnet that a rank prefers: label by label, again until nothing improves. A move that brings further choices to life (they stand in
/// the candidate it takes) is judged with those at their own best.
/// </summary>
internal sealed class ExtremeSubnet(SearchSpace space, Liveness liveness, Func<IReadOnlyDictionary<string, IReadOnlyList<int>>, bool[], double> rank)
{
    // Every level multiplies the work.
    private const int Depth = 3;

    private Dictionary<string, IReadOnlyList<int>> chosen = new(Architecture.First(space).Selections);

    /// <summary>The rank of the subnet, and its decisions.</summary>
    public (double Rank, Architecture Architecture) Find()
    {
        var best = Climb(space.Choices, 0);
        return (best, new(space, chosen));
    }

    private double Climb(IEnumerable<Choice> movable, int depth)
    {
        var live = liveness.Of(chosen);
        var best = rank(chosen, live);
        for (var improved = true; improved;)
        {
            improved = false;
            foreach (var choice in movable.Where(c => liveness.IsLive(c, live)))
            {
                foreach (var option in Neighbours(choice, chosen[choice.Label]))
                {
                    var before = chosen;
                    chosen = new(before) { [choice.Label] = option };
                    var reached = liveness.Of(chosen);
                    var next = rank(chosen, reached);
                    var awoken = space.Choices.Where(c => liveness.IsLive(c, reached) && !liveness.IsLive(c, live)).ToList();
                    if (awoken.Count > 0 && depth < Depth)
                    {
                        next = Climb(awoken, depth + 1);
                        reached = liveness.Of(chosen);
                    }

                    if (next > best)
                        (best, live, improved) = (next, reached, true);
                    else
                        chosen = before;
                }
            }
        }

        return best;
    }

    // Single candidates; for several inputs, each exchange of one for another, and for any number also adding and removing one.
    internal static IEnumerable<IReadOnlyList<int>> Neighbours(Choice choice, IReadOnlyList<int> present)
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
}
