using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// Evolution over a space (Guo et al. 2020, single path one-shot, algorithm 1): a random population; each generation the best so far are the parents, half of the
/// children crosses two of them label by label, half mutates one. No architecture is scored twice; a small space ends up enumerated.
/// </summary>
/// <param name="Population">Architectures a generation.</param>
/// <param name="Generations">Generations, the first random one included.</param>
/// <param name="Parents">How many of the best breed.</param>
/// <param name="Mutation">The probability that a label is drawn anew in a mutation.</param>
public sealed record Evolution(int Population, int Generations, int Parents, double Mutation)
{
    // Tries for a child that is not known yet, before the generation goes on without.
    private const int Tries = 20;

    /// <summary>Everything scored, the best first; of equal scores the earlier one.</summary>
    /// <param name="space">The space.</param>
    /// <param name="score">The larger the better.</param>
    /// <param name="random">Draws all of it.</param>
    /// <param name="allowed">What may be scored; everything unless given.</param>
    public IReadOnlyList<(Architecture Architecture, double Score)> Run(SearchSpace space, Func<Architecture, double> score, SeededRandom random, Func<Architecture, bool>? allowed = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(score);
        ArgumentNullException.ThrowIfNull(random);
        var known = new HashSet<Architecture>();
        var ranked = new List<(Architecture Architecture, double Score)>();
        for (var generation = 0; generation < Generations && known.Count < space.Size; generation++)
        {
            var parents = ranked.Take(Parents).Select(r => r.Architecture).ToList();
            for (var child = 0; child < Population && known.Count < space.Size; child++)
            {
                for (var attempt = 0; attempt < Tries; attempt++)
                {
                    var architecture = Child(space, parents, child, random);
                    if (!known.Add(architecture) || allowed?.Invoke(architecture) == false)
                        continue;
                    ranked.Add((architecture, score(architecture)));
                    break;
                }
            }

            ranked = [.. ranked.OrderByDescending(r => r.Score)];
        }

        return ranked;
    }

    private Architecture Child(SearchSpace space, List<Architecture> parents, int child, SeededRandom random)
    {
        var fresh = Architecture.Random(space, random);
        if (parents.Count == 0)
            return fresh;
        var (a, b) = (parents[random.NextInt(parents.Count)], parents[random.NextInt(parents.Count)]);
        return new(space, space.Choices.ToDictionary(c => c.Label, c => child % 2 == 0
            ? (random.NextInt(2) == 0 ? a : b)[c.Label]
            : random.NextDouble() < Mutation ? fresh[c.Label] : a[c.Label]));
    }
}
