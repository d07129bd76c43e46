using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>
/// The architectures of a space from the most to the least probable, where decisions are independent: the arg-max, then its neighbours. Architectures that
/// differ only in choices that are not made (they stand in a candidate not chosen) are one, with those choices at their own best.
/// </summary>
public sealed class RankedArchitectures
{
    // More ways to decide one choice than a budget enumerates are not listed: the best and what two exchanges make of it, up to a number, then stand for all.
    private const int MaxNeighbours = 4096;

    // The logarithm of a probability of 0 must stay finite, so that sums still compare.
    private const double LeastProbability = 1e-300;
    private readonly SearchSpace space;
    private readonly Liveness liveness;

    // Those that say whether others are made come first; each with the logarithms of its probabilities.
    private readonly List<(Choice Choice, double[] Logs)> choices;
    private readonly List<List<(IReadOnlyList<int> Option, double Score)>> options;

    // Whether all that say whether a choice is made come before it, which shared labels may prevent.
    private readonly bool[] isSettled;

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
        var p = space.Choices.ToDictionary(c => c.Label, c => (double[])[.. probabilities(c)]);
        var best = Architecture.FromScores(space, c => p[c.Label]);
        var deciders = liveness.Deciders();
        int[] order = [.. Enumerable.Range(0, space.Choices.Count).OrderBy(i => deciders[i].Count)];
        var places = order.Index().ToDictionary(p => p.Item, p => p.Index);
        isSettled = [.. order.Select((c, at) => deciders[c].All(d => places[d] < at))];
        choices = [.. order.Select(i => space.Choices[i]).Select(c => (c, Logs(c, p[c.Label])))];
        options = [.. choices.Select(c => Ranked(c.Choice, c.Logs, best[c.Choice.Label], p[c.Choice.Label]))];
    }

    /// <summary>Every network of a space once, lazily: each architecture but those that differ in choices that are not made.</summary>
    public static IEnumerable<Architecture> Distinct(SearchSpace space) => new RankedArchitectures(space, c => c.Candidates.Select(_ => 0.5)).All();

    /// <summary>All of them, lazily: each takes a step of its own.</summary>
    public IEnumerable<Architecture> All() => Walk().Select(w => new Architecture(space, w.Selection));

    /// <summary>The decisions of all of them, and which groups of nodes they need.</summary>
    internal IEnumerable<(IReadOnlyDictionary<string, IReadOnlyList<int>> Selection, bool[] Live)> Walk()
    {
        var queue = new PriorityQueue<(int[] At, int Last), (double Loss, long Turn)>();
        long turn = 0;
        queue.Enqueue((new int[options.Count], 0), (0, turn++));
        while (queue.TryDequeue(out var state, out var priority))
        {
            var selection = new Dictionary<string, IReadOnlyList<int>>(options.Count);
            for (var i = 0; i < options.Count; i++)
                selection[choices[i].Choice.Label] = options[i][state.At[i]].Option;
            var live = liveness.Of(selection);
            var inVain = Enumerable.Range(0, options.Count).Where(i => state.At[i] > 0 && !liveness.IsLive(choices[i].Choice, live)).ToList();
            if (inVain.Count == 0)
                yield return (selection, live);

            // What is raised later brings none of these to life.
            if (inVain.Exists(i => isSettled[i]))
                continue;

            // Each vector is reached once: by raising its digits from left to right.
            for (var i = state.Last; i < options.Count; i++)
            {
                var ranked = options[i];
                if (state.At[i] + 1 >= ranked.Count)
                    continue;
                var next = (int[])state.At.Clone();
                next[i]++;
                queue.Enqueue((next, i), (priority.Loss + ranked[state.At[i]].Score - ranked[next[i]].Score, turn++));
            }
        }
    }

    /// <summary>The logarithm of a selection's probability, but for a constant.</summary>
    internal double Score(IReadOnlyDictionary<string, IReadOnlyList<int>> selection) =>
        choices.Sum(c => selection[c.Choice.Label].Sum(k => c.Logs[k]));

    private static double[] Logs(Choice choice, IEnumerable<double> p) =>
        [.. p.Select(q => Math.Log(Math.Max(q, LeastProbability)) - (choice is InputChoice { ChosenCount: 0 } ? Math.Log(Math.Max(1 - q, LeastProbability)) : 0))];

    private static List<(IReadOnlyList<int> Option, double Score)> Ranked(Choice choice, double[] logs, IReadOnlyList<int> best, double[] p)
    {
        var all = choice.Options.IsAtMost(Budget.Enumerable)
            ? ChoiceOptions.Of(choice)
            : ExtremeSubnet.Neighbours(choice, best).SelectMany(o => ExtremeSubnet.Neighbours(choice, o).Prepend(o)).DistinctBy(o => string.Join(',', o)).Take(MaxNeighbours);
        var others = all.Where(o => !o.SequenceEqual(best) && o.All(k => p[k] >= 0)).Select(o => (Option: o, Score: o.Sum(k => logs[k]))).OrderByDescending(o => o.Score);

        // Rounding must not put another before the one that FromScores takes.
        return [(best, Math.Max(best.Sum(k => logs[k]), others.Select(o => o.Score).FirstOrDefault(double.NegativeInfinity))), .. others];
    }
}
