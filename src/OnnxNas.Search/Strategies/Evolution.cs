using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// Evolution over a space (Guo et al. 2020, single path one-shot, algorithm 1): a random population; each generation the best so far are the parents, half of the
/// children crosses two of them label by label, half mutates one; a child that is known already, or not allowed, is drawn again, in the end at random. No network is
/// scored twice, whatever its architecture decides about choices that are not made. A space that holds no more than evolution would score is enumerated instead.
/// </summary>
/// <param name="Population">Architectures a generation.</param>
/// <param name="Generations">Generations, the first random one included.</param>
/// <param name="Parents">How many of the best breed.</param>
/// <param name="Mutation">The probability that a label is drawn anew in a mutation.</param>
public sealed record Evolution(int Population, int Generations, int Parents, double Mutation)
{
    // Tries for a child of its parents, and as many for one at random, before the generation goes on without.
    private const int Tries = 20;

    private long Limit => (long)Population * Generations;

    /// <summary>How many architectures of a space are scored at most.</summary>
    public long Most(SearchSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        return space.Size is { Exact: { } size } && size <= Limit ? (long)size : Limit;
    }

    /// <summary>Everything scored, the best first; of equal scores the earlier one. Empty where nothing that is allowed was found.</summary>
    /// <param name="space">The space.</param>
    /// <param name="score">The larger the better.</param>
    /// <param name="random">Draws all of it.</param>
    /// <param name="allowed">What may be scored and bred; everything unless given.</param>
    /// <param name="start">Architectures of the first population, before the random ones.</param>
    public IReadOnlyList<(Architecture Architecture, double Score)> Run(
        SearchSpace space, Func<Architecture, double> score, SeededRandom random, Func<Architecture, bool>? allowed = null, params IReadOnlyList<Architecture> start)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(score);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(start);
        allowed ??= _ => true;
        if (space.Size.IsAtMost(Limit))
            return Ranked(RankedArchitectures.Distinct(space).Where(allowed).Select(a => (a, score(a))));
        var liveness = new Liveness(space);
        var known = new HashSet<Architecture>();
        IReadOnlyList<(Architecture Architecture, double Score)> ranked = [];
        for (var generation = 0; generation < Generations; generation++)
        {
            var parents = ranked.Take(Parents).Select(r => r.Architecture).ToList();
            var children = generation == 0 ? [.. start.Select(liveness.Canonical).Where(known.Add)] : new List<Architecture>();
            for (var child = children.Count; child < Population; child++)
            {
                if (Fresh(child) is { } architecture)
                    children.Add(architecture);
            }

            ranked = Ranked([.. ranked, .. children.Select(a => (a, score(a)))]);

            Architecture? Fresh(int child)
            {
                for (var attempt = 0; attempt < 2 * Tries; attempt++)
                {
                    var architecture = liveness.Canonical(attempt < Tries && parents.Count > 0 ? Child(space, parents, child, random) : Architecture.Random(space, random));
                    if (allowed(architecture) && known.Add(architecture))
                        return architecture;
                }

                return null;
            }
        }

        return ranked;
    }

    private Architecture Child(SearchSpace space, List<Architecture> parents, int child, SeededRandom random)
    {
        var (a, b) = (parents[random.NextInt(parents.Count)], parents[random.NextInt(parents.Count)]);
        var fresh = Architecture.Random(space, random);
        return new(space, space.Choices.ToDictionary(c => c.Label, c => child % 2 == 0
            ? (random.NextInt(2) == 0 ? a : b)[c.Label]
            : random.NextDouble() < Mutation ? fresh[c.Label] : a[c.Label]));
    }

    private static IReadOnlyList<(Architecture Architecture, double Score)> Ranked(IEnumerable<(Architecture Architecture, double Score)> scored) =>
        [.. scored.OrderByDescending(r => r.Score)];
}
