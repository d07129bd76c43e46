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
    protected Architecture Path { get; set; }

    /// <inheritdoc/>
    public override void Fit()
    {
        using var weights = Task.Options.NewWeightOptimizer(Supernet.Weights);
        foreach (var epoch in Epochs(weights))
        {
            var lr = SetLearningRate(weights, epoch, Task.Options.Epochs);
            foreach (var (train, valid) in Task.Batches(epoch))
                Step(weights, train, valid);
            Report(epoch, lr);
        }
    }

    /// <inheritdoc/>
    public override Architecture Export() => Ranked()[0].Architecture;

    /// <inheritdoc/>
    public override IReadOnlyList<Architecture> Finalists(int count) => [.. Ranked().Take(count).Select(r => r.Architecture)];

    /// <summary>One step on a batch: draws what runs, and trains it.</summary>
    protected abstract void Step(Optimizer weights, Batch train, Batch valid);

    /// <summary>The subnets that were scored, the best first; none over budget.</summary>
    protected virtual IReadOnlyList<(Architecture Architecture, double Score)> Search(Func<Architecture, double> score)
    {
        var options = Task.Options;
        return new Evolution(options.Population, options.Generations, options.Parents, options.Mutation)
            .Run(Task.Space, score, new SeededRandom(options.Seed, RandomStreams.Strategy), Task.Budget.Allows);
    }

    private IReadOnlyList<(Architecture Architecture, double Score)> Ranked()
    {
        if (ranked is not null)
            return ranked;
        var scorer = new SubnetScorer(this);
        Task.Checkpointer.Add("scores", scorer);
        var sign = Task.Metric().HigherIsBetter ? 1 : -1;
        ranked = Search(architecture => sign * scorer.Score(architecture).Metric);
        if (ranked.Count == 0)
        {
            // Nothing drawn was within budget: take what the budget leaves.
            var cheap = Task.Budget.Best(choice => [.. Enumerable.Repeat(1.0 / choice.Candidates.Count, choice.Candidates.Count)]);
            ranked = [(cheap, sign * scorer.Score(cheap).Metric)];
        }

        return ranked;
    }

    private MixtureModule Follow(Choice choice) => new(choice, () => new(Path[choice.Label]));
}
