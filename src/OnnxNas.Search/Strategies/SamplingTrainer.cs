using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// A search that runs one architecture at a time: only the chosen candidates compute and learn, all others are left bit for bit as they are.
/// Takes every kind of choice. First the supernet is trained, then evolution scores subnets of it, each with batch normalisation recalibrated.
/// </summary>
public abstract class SamplingTrainer : OneShotTrainer
{
    private IReadOnlyList<(Architecture Architecture, double Score)>? ranked;

    /// <summary>Prepares the search.</summary>
    protected SamplingTrainer(TrainingTask task) : base(task)
    {
        Path = Architecture.First(Task.Space);
        Supernet.ReplaceLayerChoice(Follow);
        Supernet.ReplaceInputChoice(Follow);
    }

    /// <summary>The architecture that the supernet runs.</summary>
    public Architecture Path { get; protected set; }

    /// <summary>Optimizers beside that of the weights, which checkpoints need to hold too.</summary>
    protected virtual IReadOnlyList<Optimizer> FurtherOptimizers => [];

    /// <inheritdoc/>
    public override void Fit()
    {
        using var weights = Task.Options.NewWeightOptimizer(Supernet.Weights);
        foreach (var epoch in Epochs([weights, .. FurtherOptimizers]))
        {
            var lr = BeginEpoch(weights, epoch);
            foreach (var (train, valid) in Task.Batches(epoch))
                Step(weights, train, valid);
            Report(epoch, lr);
            EndEpoch(epoch);
        }

        EndFit();
    }

    /// <inheritdoc/>
    public override Architecture Export() => Ranked()[0].Architecture;

    /// <inheritdoc/>
    public override IReadOnlyList<Architecture> Finalists(int count) => [.. Ranked().Take(count).Select(r => r.Architecture)];

    /// <summary>Called before the steps of an epoch, also of one that was interrupted; returns the learning rate.</summary>
    protected virtual double BeginEpoch(SgdOptimizer weights, int epoch) => SetLearningRate(weights, epoch, Task.Options.Epochs);

    /// <summary>One step on a batch: draws what runs, and trains it.</summary>
    protected abstract void Step(Optimizer weights, Batch train, Batch valid);

    /// <summary>Called when an epoch has been reported.</summary>
    protected virtual void EndEpoch(int epoch)
    {
    }

    /// <summary>Called after the last epoch.</summary>
    protected virtual void EndFit()
    {
    }

    /// <summary>The subnets that were scored, all within the budget, the best first. By evolution, unless a strategy knows better.</summary>
    /// <param name="score">The larger the better; costs are reckoned in.</param>
    protected virtual IReadOnlyList<(Architecture Architecture, double Score)> Search(Func<Architecture, double> score)
    {
        var options = Task.Options;
        var evolution = new Evolution(options.Population, options.Generations, options.Parents, options.Mutation);
        return evolution.Run(Task.Space, Shown("evolution", evolution.Most(Task.Space), score), new SeededRandom(options.Seed, RandomStreams.Strategy), Task.Budget.Allows, SomeAllowed());
    }

    /// <summary>An architecture within the budget, which draws may not find where it is tight; empty where there is no budget.</summary>
    /// <exception cref="ChoiceException">No architecture is within the budget.</exception>
    protected IReadOnlyList<Architecture> SomeAllowed() =>
        Task.Budget.IsUnlimited ? [] : [Task.Budget.Best(c => c.Candidates.Select(_ => 0.5))];

    private IReadOnlyList<(Architecture Architecture, double Score)> Ranked() => ranked ??= Search(architecture => Reward(architecture, MetricOf(architecture)));

    private MixtureModule Follow(Choice choice) => new(choice, () => new(Path[choice.Label]));
}
