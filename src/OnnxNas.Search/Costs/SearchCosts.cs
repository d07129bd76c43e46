using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>The costs of a search: tables by kind, and what the options ask of them. Latency is measured when first asked for.</summary>
public sealed class SearchCosts
{
    private readonly ModelCost model;
    private readonly Lazy<LatencyTable> latency;

    /// <summary>The costs of a marked model.</summary>
    /// <param name="space">The marked model's decisions.</param>
    /// <param name="timer">Measures latency.</param>
    /// <param name="extents">The extents of the model's inputs that all costs are taken at; those that it declares unless given.</param>
    public SearchCosts(SearchSpace space, IModelTimer timer, InputExtents? extents = null)
    {
        model = new(space, extents);
        latency = new(() => LatencyTable.Measure(space, model.Liveness, timer, extents ?? InputExtents.Declared));
    }

    /// <summary>Parameters and MACs.</summary>
    public ModelCost Model => model;

    /// <summary>Measured latency.</summary>
    public LatencyTable Latency => latency.Value;

    /// <summary>Measured latency where the options have asked for it; null where nothing was measured.</summary>
    public LatencyTable? KnownLatency => latency.IsValueCreated ? latency.Value : null;

    /// <summary>The table of a cost.</summary>
    public CostTable this[CostKind kind] => kind switch
    {
        CostKind.Macs => model.Macs,
        CostKind.Params => model.Parameters,
        _ => Latency.Table,
    };

    /// <summary>The penalty that the options ask for; null for a weight of 0.</summary>
    public CostPenalty? Penalty(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.PenaltyWeight == 0)
            return null;
        var table = this[Enum.Parse<CostKind>(options.Cost, ignoreCase: true)];
        return new(table, CostAmount.Parse(options.CostTarget).In(table), options.PenaltyWeight,
            Enum.Parse<PenaltyForm>(options.PenaltyForm, ignoreCase: true), Enum.Parse<PenaltyShape>(options.PenaltyShape, ignoreCase: true));
    }

    /// <summary>The hard limits that the options set.</summary>
    public Budget Budget(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var limits = new List<BudgetLimit>();
        foreach (var (option, text, kind) in new[] { ("--max-params", options.MaxParams, CostKind.Params), ("--max-macs", options.MaxMacs, CostKind.Macs), ("--max-latency-ms", options.MaxLatencyMs, CostKind.Latency) })
        {
            if (text is not null)
                limits.Add(new(option, this[kind], CostAmount.Parse(text).In(this[kind])));
        }

        return new(model.Macs.Space, limits, options.MaxSkips);
    }
}
