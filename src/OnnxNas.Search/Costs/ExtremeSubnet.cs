using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>
/// Looks for the subnet that a rank prefers: label by label, again until nothing improves. A move that brings further choices to life (they stand in
/// the candidate it takes) is judged with those at their own best.
/// </summary>
internal sealed class ExtremeSubnet(SearchSpace space, Func<IReadOnlyDictionary<string, IReadOnlyList<int>>, (Cost Cost, HashSet<Node> Live)> measure, Func<Cost, long> rank)
{
    // Every level multiplies the work.
    private const int Depth = 3;

    private Dictionary<string, IReadOnlyList<int>> chosen = new(Architecture.First(space).Selections);

    /// <summary>The cost of the subnet.</summary>
    public Cost Find() => Climb(space.Choices, 0);

    private Cost Climb(IEnumerable<Choice> movable, int depth)
    {
        var (best, live) = measure(chosen);
        for (var improved = true; improved;)
        {
            improved = false;
            foreach (var choice in movable.Where(c => IsLive(c, live)))
            {
                foreach (var option in Neighbours(choice, chosen[choice.Label]))
                {
                    var before = chosen;
                    chosen = new(before) { [choice.Label] = option };
                    var (cost, reached) = measure(chosen);
                    var awoken = space.Choices.Where(c => IsLive(c, reached) && !IsLive(c, live)).ToList();
                    if (awoken.Count > 0 && depth < Depth)
                    {
                        cost = Climb(awoken, depth + 1);
                        reached = measure(chosen).Live;
                    }

                    if (rank(cost) > rank(best))
                        (best, live, improved) = (cost, reached, true);
                    else
                        chosen = before;
                }
            }
        }

        return best;
    }

    private static bool IsLive(Choice choice, HashSet<Node> live) => choice.Nodes.Any(live.Contains);

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
}
