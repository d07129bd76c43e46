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

/// <summary>Hard limits on what an architecture may cost, and on its skips. Without limits everything is allowed.</summary>
public sealed class Budget
{
    // Spaces up to this size are enumerated, and so are as many architectures of a larger one, from the best on.
    internal const int Enumerable = 100_000;
    private readonly SearchSpace space;
    private readonly Lazy<Liveness> liveness;
    private readonly Lazy<Architecture> cheapest;
    private readonly SkipLimit? skips;

    /// <summary>A budget of these limits.</summary>
    /// <param name="space">The space.</param>
    /// <param name="limits">Limits on costs.</param>
    /// <param name="maxSkips">The most LayerChoices that are made and decided for an identity; null = any.</param>
    /// <exception cref="ArgumentException">A limit is on the costs of another space.</exception>
    public Budget(SearchSpace space, IEnumerable<BudgetLimit> limits, int? maxSkips = null)
    {
        this.space = space;
        Limits = [.. limits];
        if (Limits.Any(l => l.Table.Space != space))
            throw new ArgumentException("A budget's limits must be on the costs of its own space.", nameof(limits));
        // All tables of a space group its nodes alike.
        liveness = new(() => Limits.Count > 0 ? Limits[0].Table.Liveness : new(space));
        cheapest = new(() => Nearest(Limits, skips));
        skips = maxSkips is { } most ? new(space, liveness, most) : null;
    }

    /// <summary>The limits on costs.</summary>
    public IReadOnlyList<BudgetLimit> Limits { get; }

    /// <summary>Whether there is no limit at all.</summary>
    public bool IsUnlimited => Limits.Count == 0 && skips is null;

    /// <summary>Whether an architecture keeps every limit.</summary>
    public bool Allows(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return IsUnlimited || Allows(architecture.Selections, liveness.Value.Of(architecture.Selections));
    }

    private bool Allows(IReadOnlyDictionary<string, IReadOnlyList<int>> selection, bool[] live) =>
        Limits.All(l => l.Table.Of(live) <= l.Limit) && skips?.IsExceeded(selection, live) != true;

    /// <summary>Requires that some architecture keeps every limit. A search calls it before it trains.</summary>
    /// <exception cref="ChoiceException">None does; the message gives the cheapest architecture's figures.</exception>
    public void RequireReachable()
    {
        foreach (var limit in Limits)
        {
            var least = Nearest([limit], null);
            if (limit.Table.Of(least) > limit.Limit)
                throw new ChoiceException($"No architecture keeps {limit}: the cheapest has {CostText.Of(limit.Table.Kind, limit.Table.Of(least))} ({least}). Raise the limit, or offer cheaper candidates.");
        }

        if (skips is not null && Nearest([], skips) is var fewest && skips.IsExceeded(fewest.Selections, liveness.Value.Of(fewest.Selections)))
            throw new ChoiceException($"No architecture keeps {skips}: the one with the fewest has {SkipLimit.Text(skips.Count(fewest))} ({fewest}). Raise the limit, or offer other candidates.");
        if (!Allows(cheapest.Value))
        {
            var amounts = Limits.Select(l => CostText.Of(l.Table.Kind, l.Table.Of(cheapest.Value)));
            IEnumerable<string> names = Limits.Select(l => l.ToString());
            if (skips is not null)
                (amounts, names) = (amounts.Append(SkipLimit.Text(skips.Count(cheapest.Value))), names.Append(skips.ToString()));
            throw new ChoiceException(
                $"No architecture keeps {string.Join(" and ", names)} together: the nearest has {string.Join(" and ", amounts)} " +
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
        var ranked = new RankedArchitectures(space, liveness.Value, probabilities);
        var found = ranked.Walk().Take(Enumerable).Where(w => Allows(w.Selection, w.Live)).Take(count).Select(w => new Architecture(space, w.Selection)).ToList();
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

    private double Excess(Architecture architecture) => Excess(Limits, skips, architecture.Selections, liveness.Value.Of(architecture.Selections));

    private static double Excess(IReadOnlyList<BudgetLimit> limits, SkipLimit? skips, IReadOnlyDictionary<string, IReadOnlyList<int>> selection, bool[] live) =>
        limits.Sum(l => Math.Max(0, l.Table.Of(live) / l.Limit - 1)) + (skips?.Excess(selection, live) ?? 0);

    // The architecture that exceeds some limits least, and of those that keep them the cheapest.
    private Architecture Nearest(IReadOnlyList<BudgetLimit> limits, SkipLimit? skips)
    {
        if (limits.Count == 0 && skips is null)
            return Architecture.First(space);
        if (!space.Size.IsAtMost(Enumerable))
            return new ExtremeSubnet(space, liveness.Value, Rank).Find().Architecture;
        var (best, rank) = ((Architecture?)null, double.NegativeInfinity);
        foreach (var selection in ChoiceOptions.All(space))
        {
            if (Rank(selection, liveness.Value.Of(selection)) is var next && next > rank)
                (best, rank) = (new(space, selection), next);
        }

        return best!;

        double Rank(IReadOnlyDictionary<string, IReadOnlyList<int>> selection, bool[] live)
        {
            var excess = Excess(limits, skips, selection, live);
            return excess > 0 ? -1 - excess : limits.Count > 0 ? -limits.Average(l => l.Table.Of(live) / l.Limit) : 0;
        }
    }
}
