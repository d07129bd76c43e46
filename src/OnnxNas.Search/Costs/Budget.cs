using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>A hard limit on a cost.</summary>
/// <param name="Option">The option that sets it, for messages.</param>
/// <param name="Table">What architectures cost.</param>
/// <param name="Limit">The most that is allowed.</param>
public sealed record BudgetLimit(string Option, CostTable Table, double Limit)
{
    /// <summary><c>--max-macs 1,000 MACs</c>.</summary>
    public override string ToString() => $"{Option} {CostText.Of(Table.Kind, Limit)}";
}

/// <summary>Hard limits on what an architecture may cost. Without limits everything is allowed.</summary>
public sealed class Budget
{
    // Spaces up to this size are enumerated, and so are as many architectures of a larger one, from the best on.
    private const int Enumerable = 100_000;
    private readonly SearchSpace space;
    private readonly Lazy<Architecture> cheapest;

    /// <summary>A budget of these limits.</summary>
    /// <exception cref="ArgumentException">A limit is on the costs of another space.</exception>
    public Budget(SearchSpace space, IEnumerable<BudgetLimit> limits)
    {
        this.space = space;
        Limits = [.. limits];
        if (Limits.Any(l => l.Table.Space != space))
            throw new ArgumentException("A budget's limits must be on the costs of its own space.", nameof(limits));
        cheapest = new(() => Nearest(Limits));
    }

    /// <summary>The limits.</summary>
    public IReadOnlyList<BudgetLimit> Limits { get; }

    /// <summary>Whether an architecture keeps every limit.</summary>
    public bool Allows(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return Limits.All(l => l.Table.Of(architecture) <= l.Limit);
    }

    // All tables of a space group its nodes alike.
    private bool Allows(bool[] live) => Limits.All(l => l.Table.Of(live) <= l.Limit);

    /// <summary>Requires that some architecture keeps every limit. A search calls it before it trains.</summary>
    /// <exception cref="ChoiceException">None does; the message gives the cheapest architecture's figures.</exception>
    public void RequireReachable()
    {
        foreach (var limit in Limits)
        {
            var least = Nearest([limit]);
            if (limit.Table.Of(least) > limit.Limit)
                throw new ChoiceException($"No architecture keeps {limit}: the cheapest has {CostText.Of(limit.Table.Kind, limit.Table.Of(least))} ({least}). Raise the limit, or offer cheaper candidates.");
        }

        if (!Allows(cheapest.Value))
        {
            throw new ChoiceException(
                $"No architecture keeps {string.Join(" and ", Limits)} together: the nearest has {string.Join(" and ", Limits.Select(l => CostText.Of(l.Table.Kind, l.Table.Of(cheapest.Value))))} " +
                $"({cheapest.Value}). Raise a limit, or offer cheaper candidates.");
        }
    }

    /// <summary>
    /// The most probable architecture within the budget. The true one where the space has at most 100,000 architectures, or as many of the most probable
    /// ones hold one within the budget; otherwise the best that descending from the arg-max and climbing from the cheapest find. Always within the budget.
    /// </summary>
    /// <param name="probabilities">One number a candidate, as <see cref="Architecture.FromScores"/> takes them.</param>
    /// <exception cref="ChoiceException">No architecture is within the budget.</exception>
    public Architecture Best(Func<Choice, IEnumerable<double>> probabilities) => Best(probabilities, 1)[0];

    /// <summary>The most probable architectures within the budget, the best first, none twice; fewer than <paramref name="count"/> where no more are found.</summary>
    /// <inheritdoc cref="Best(Func{Choice, IEnumerable{double}})"/>
    public IReadOnlyList<Architecture> Best(Func<Choice, IEnumerable<double>> probabilities, int count)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        var ranked = new RankedArchitectures(space, Limits.Count > 0 ? Limits[0].Table.Liveness : new(space), probabilities);
        var found = ranked.Walk().Take(Enumerable).Where(w => Allows(w.Live)).Take(count).Select(w => new Architecture(space, w.Selection)).ToList();
        if (found.Count > 0)
            return found;
        RequireReachable();
        Architecture[] ends = [Climb(Descend(Architecture.FromScores(space, probabilities), ranked), ranked), Climb(cheapest.Value, ranked)];
        return [ends.MaxBy(a => ranked.Score(a.Selections))!];
    }

    // Single moves that lower the excess most for what they lose in score, until nothing is in excess or no move lowers it.
    private Architecture Descend(Architecture architecture, RankedArchitectures ranked)
    {
        while (!Allows(architecture))
        {
            var (excess, score) = (Excess(architecture), ranked.Score(architecture.Selections));
            var better = Moves(architecture).Where(m => Excess(m) < excess).ToList();
            if (better.Count == 0)
                return cheapest.Value;
            architecture = better.MaxBy(m => (excess - Excess(m)) / Math.Max(1e-9, score - ranked.Score(m.Selections)))!;
        }

        return architecture;
    }

    // Single moves that raise the score within the budget, the steepest first.
    private Architecture Climb(Architecture architecture, RankedArchitectures ranked)
    {
        while (true)
        {
            var next = Moves(architecture).Where(Allows).MaxBy(m => ranked.Score(m.Selections));
            if (next is null || !(ranked.Score(next.Selections) > ranked.Score(architecture.Selections)))
                return architecture;
            architecture = next;
        }
    }

    private IEnumerable<Architecture> Moves(Architecture present) =>
        from choice in space.Choices
        from option in ExtremeSubnet.Neighbours(choice, present[choice.Label])
        where !option.SequenceEqual(present[choice.Label])
        select new Architecture(space, new Dictionary<string, IReadOnlyList<int>>(present.Selections) { [choice.Label] = option });

    private double Excess(Architecture architecture) => Limits.Sum(l => Math.Max(0, l.Table.Of(architecture) / l.Limit - 1));

    // The architecture that exceeds some limits least, and of those that keep them the cheapest.
    private Architecture Nearest(IReadOnlyList<BudgetLimit> limits)
    {
        if (limits.Count == 0)
            return Architecture.First(space);
        var liveness = limits[0].Table.Liveness;
        if (space.Size > Enumerable)
            return new ExtremeSubnet(space, liveness, Rank).Find().Architecture;
        var (best, rank) = ((Architecture?)null, double.NegativeInfinity);
        foreach (var selection in ChoiceOptions.All(space))
        {
            if (Rank(liveness.Of(selection)) is var next && next > rank)
                (best, rank) = (new(space, selection), next);
        }

        return best!;

        double Rank(bool[] live)
        {
            var shares = limits.Select(l => l.Table.Of(live) / l.Limit).ToList();
            return shares.Any(s => s > 1) ? -1 - shares.Sum(s => Math.Max(0, s - 1)) : -shares.Average();
        }
    }
}
