using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// ProxylessNAS (Cai, Zhu, Han 2019, §3.2): weights learn on one sampled path at a time, and only those of the path. The step of α runs two paths, drawn without
/// replacement in proportion to p: y = Σ (onehot + q − sg q)·o with q the softmax of the two; afterwards both are shifted so that no other
/// probability moves. <c>--proxyless-gradient full</c> runs all instead: y = Σ (onehot_k + p_k − sg p_k)·(k = sample ? o_k : sg o_k).
/// An InputChoice of other than one input always takes the full form, with the indicator of the drawn set for onehot and n·p for p.
/// </summary>
[Strategy("proxyless", "differentiable: weights on one sampled path, the architecture on two")]
public sealed class Proxyless : GradientTrainer, IStrategyDefaults
{
    private readonly Dictionary<string, (Choice Choice, int[] Pair)> pairs = [];
    private bool isArchitectureStep;

    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">A choice cannot be weighted.</exception>
    public Proxyless(TrainingTask task) : base(task) => Sample(Draw);

    /// <summary>The paper's on CIFAR-10: a learning rate of 0.006 for the architecture, which is not decayed.</summary>
    public static SearchOptions Defaults(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { ArchLr = 6e-3, ArchWeightDecay = 0 };
    }

    /// <inheritdoc/>
    protected internal override void StepArchitecture(Batch train, Batch valid)
    {
        using var scope = NewDisposeScope();
        pairs.Clear();
        var before = Task.Space.Choices.ToDictionary(c => c.Label, c => Supernet.ArchitectureTensor(c).detach().clone());
        isArchitectureStep = true;
        try
        {
            base.StepArchitecture(train, valid);
        }
        finally
        {
            isArchitectureStep = false;
        }

        using var off = no_grad();
        foreach (var (label, (choice, pair)) in pairs)
            Supernet.ArchitectureTensor(choice).copy_(Settled(before[label], Supernet.ArchitectureTensor(choice), tensor(pair.Select(k => (long)k).ToArray(), device: Task.Device)));
    }

    // The two new values, shifted so that their share of Σ e^α stays; all others as they were, momentum or not.
    private static Tensor Settled(Tensor before, Tensor after, Tensor pair)
    {
        var (old, moved) = (before.index_select(0, pair), after.index_select(0, pair));
        return before.index_copy(0, pair, moved - (moved.logsumexp(0) - old.logsumexp(0)));
    }

    private Mixture Draw(Choice choice)
    {
        if (!Supernet.Module.Training)
            return new(Likeliest(choice));
        var random = NextRandom();
        var alpha = Supernet.ArchitectureTensor(choice);
        var noisy = Noisy(choice, random).detach();
        var sample = Architecture.Highest(choice, (choice is InputChoice { ChosenCount: 0 } ? noisy.sigmoid() : noisy).ToTensorData().ToDoubles());
        if (!isArchitectureStep)
            return new(sample);
        if (Task.Options.ProxylessGradient == "full" || choice is InputChoice { ChosenCount: not 1 })
            return Full(choice, sample);

        // The two largest are drawn without replacement; which of them is on, by q.
        var pair = noisy.ToTensorData().ToDoubles().Select((v, k) => (v, k)).OrderByDescending(p => p.v).Take(2).Select(p => p.k).Order().ToArray();
        if (pair.Length < 2)
            return new(pair);
        pairs[choice.Label] = (choice, pair);
        var parts = alpha.unbind(0);
        var q = stack(pair.Select(k => parts[k])).softmax(0).unbind(0);
        var on = random.NextDouble() < q[0].to_type(ScalarType.Float64).item<double>() ? 0 : 1;
        return new(pair, StraightThrough(choice, q, pair.Select((_, i) => i == on)));
    }

    private Mixture Full(Choice choice, IReadOnlyList<int> sample)
    {
        int[] all = [.. Enumerable.Range(0, choice.Candidates.Count)];
        return new(all, StraightThrough(choice, ProbabilityTensor(choice).unbind(0), all.Select(sample.Contains)), [.. all.Except(sample)]);
    }
}
