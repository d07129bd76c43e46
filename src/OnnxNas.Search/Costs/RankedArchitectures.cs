using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>
/// The architectures of a space from the most to the least probable, where decisions are independent: the arg-max, then its neighbours. Architectures that
/// differ only in choices that are not made (they stand in a candidate not chosen) are one, with those choices at their own best.
/// </summary>
public sealed class RankedArchitectures
{
    // More ways than this to decide one choice are not listed: the best and what two exchanges make of it then stand for all.
    private const int MaxOptions = 4096;

    // The logarithm of a probability of 0 must stay finite, so that sums still compare.
    private const double LeastProbability = 1e-300;
    private readonly SearchSpace space;
    private readonly Liveness liveness;
    private readonly List<List<(IReadOnlyList<int> Option, double Score)>> options;

    /// <summary>Ranks the architectures of a space.</summary>
    /// <param name="space">The space.</param>
    /// <param name="probabilities">
    /// One number a candidate: its probability; less than 0 where it is forbidden, which only the first architecture may have to overlook. The first architecture is that of <see cref="Architecture.FromScores"/>. For an InputChoice of n inputs the product over
    /// the chosen counts, for one of any number that of open and shut gates.
    /// </param>
    public RankedArchitectures(SearchSpace space, Func<Choice, IEnumerable<double>> probabilities) : this(space, new(space), probabilities)
    {
    }

    internal RankedArchitectures(SearchSpace space, Liveness liveness, Func<Choice, IEnumerable<double>> probabilities)
    {
        (this.space, this.liveness) = (space, liveness);
        var best = Architecture.FromScores(space, probabilities);
        options = [.. space.Choices.Select(c => Ranked(c, best[c.Label], [.. probabilities(c)]))];
    }

    /// <summary>Every network of a space once, lazily: each architecture but those that differ in choices that are not made.</summary>
    public static IEnumerable<Architecture> Distinct(SearchSpace space) => new RankedArchitectures(space, c => c.Candidates.Select(_ => 0.5)).All();

    /// <summary>All of them, lazily: each takes a step of its own.</summary>
    public IEnumerable<Architecture> All() => Walk().Select(w => new Architecture(space, w.Selection));

    /// <summary>The decisions of all of them, and which groups of nodes they need.</summary>
    internal IEnumerable<(IReadOnlyDictionary<string, IReadOnlyList<int>> Selection, bool[] Live)> Walk()
    {
        var queue = new PriorityQueue<(ushort[] At, int Last), (double Loss, long Turn)>();
        long turn = 0;
        queue.Enqueue((new ushort[options.Count], 0), (0, turn++));
        while (queue.TryDequeue(out var state, out var priority))
        {
            var selection = new Dictionary<string, IReadOnlyList<int>>(options.Count);
            for (var i = 0; i < options.Count; i++)
                selection[space.Choices[i].Label] = options[i][state.At[i]].Option;
            var live = liveness.Of(selection);
            if (!space.Choices.Where((c, i) => state.At[i] > 0 && !liveness.IsLive(c, live)).Any())
                yield return (selection, live);

            // Each vector is reached once: by raising its digits from left to right.
            for (var i = state.Last; i < options.Count; i++)
            {
                var ranked = options[i];
                if (state.At[i] + 1 >= ranked.Count)
                    continue;
                var next = (ushort[])state.At.Clone();
                next[i]++;
                queue.Enqueue((next, i), (priority.Loss + ranked[state.At[i]].Score - ranked[next[i]].Score, turn++));
            }
        }
    }

    /// <summary>The logarithm of a selection's probability, but for a constant.</summary>
    internal double Score(IReadOnlyDictionary<string, IReadOnlyList<int>> selection) =>
        space.Choices.Select((c, i) => options[i].Find(o => o.Option.SequenceEqual(selection[c.Label])) is { Option: not null } found ? found.Score : double.NegativeInfinity).Sum();

    private static List<(IReadOnlyList<int> Option, double Score)> Ranked(Choice choice, IReadOnlyList<int> best, double[] p)
    {
        var logs = p.Select(q => Math.Log(Math.Max(q, LeastProbability)) - (choice is InputChoice { ChosenCount: 0 } ? Math.Log(Math.Max(1 - q, LeastProbability)) : 0)).ToArray();
        var all = choice.Options <= MaxOptions
            ? ChoiceOptions.Of(choice)
            : ExtremeSubnet.Neighbours(choice, best).SelectMany(o => ExtremeSubnet.Neighbours(choice, o).Prepend(o)).DistinctBy(o => string.Join(',', o)).Take(MaxOptions);
        var others = all.Where(o => !o.SequenceEqual(best) && o.All(k => p[k] >= 0)).Select(o => (Option: o, Score: o.Sum(k => logs[k]))).OrderByDescending(o => o.Score);

        // Rounding must not put another before the one that FromScores takes.
        return [(best, Math.Max(best.Sum(k => logs[k]), others.Select(o => o.Score).FirstOrDefault(double.NegativeInfinity))), .. others];
    }
}
