using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Operators.Native;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Supernets;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>
/// A one-shot search: <see cref="Fit"/> trains weights and architecture together in one supernet, <see cref="Export"/> returns the
/// best architecture. A trainer replaces every choice in its constructor; all else is up to it.
/// </summary>
public abstract class OneShotTrainer : IDisposable
{
    private const double InitialSpread = 1e-3;
    private readonly SeededRandom initial;
    private SubnetScorer? scorer;
    private SubnetScorer? finalistScorer;

    /// <summary>Prepares the supernet of the task.</summary>
    protected OneShotTrainer(TrainingTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        TorchRuntime.EnsureLoaded();
        Task = task;
        Supernet = new(task.Space, task.Device);
        initial = new(task.Options.Seed, RandomStreams.InitialArchitecture);
    }

    /// <summary>What is searched, on what, and how.</summary>
    public TrainingTask Task { get; }

    private protected double PenaltyWeight => Task.Penalty?.Weight ?? 0;

    /// <summary>The supernet.</summary>
    public Supernet Supernet { get; }

    /// <summary>Trains weights and architecture.</summary>
    public abstract void Fit();

    /// <summary>The best architecture found.</summary>
    public abstract Architecture Export();

    /// <summary>How strongly each candidate of a choice is preferred, or an empty list where the trainer has no such notion.</summary>
    public virtual IReadOnlyList<double> Probabilities(Choice choice) => [];

    /// <summary>
    /// Architectures worth a second look, the best guess first; at most <paramref name="count"/>, none twice. Only <see cref="Export"/> unless a trainer knows more.
    /// </summary>
    public virtual IReadOnlyList<Architecture> Finalists(int count) => [Export()];

    /// <summary>
    /// The finalists with the metric of each on the validation samples (where there are several, trained on for <see cref="SearchOptions.FinalistEpochs"/>), the best first, costs reckoned in. For after <see cref="Fit"/>. A trainer that overrides
    /// <see cref="Export"/> and leaves <see cref="Finalists"/> to its base class has made up its mind: only what it exports is there. One that diverged has no number as metric, and comes last.
    /// None is over the budget: where all are, the one within it that changes the fewest decisions of the first takes their place, and a note says so.
    /// </summary>
    /// <exception cref="TrainingException">All diverged.</exception>
    public IReadOnlyList<(Architecture Architecture, double Metric)> Ranking(int count)
    {
        var finalists = WithinBudget(Owner(nameof(Export)).IsSubclassOf(Owner(nameof(Finalists))) ? [Export()] : Finalists(count));
        Func<Architecture, double> metric = finalists.Count > 1 ? FinalistMetricOf : MetricOf;
        if (finalists.Count > 1 && Task.Options.FinalistEpochs == 0)
            metric = Shown("finalists", finalists.Count, metric);
        // What is not a number comes last.
        var ranking = finalists.Select(a => (Architecture: a, Metric: metric(a))).OrderByDescending(r => Reward(r.Architecture, r.Metric)).ToList();
        if (double.IsNaN(ranking[0].Metric))
            throw new TrainingException($"All finalists ({ranking.Count}) diverged or failed, so that none has a score. Try a lower --lr (now {Task.Options.Lr.ToString(CultureInfo.InvariantCulture)}).");
        return ranking;

        Type Owner(string method) => GetType().GetMethod(method)!.DeclaringType!;
    }

    /// <summary>The metric of the supernet, as it is, on the validation samples.</summary>
    public double ValidMetric { get; internal set; } = double.NaN;

    /// <summary>The next numbers from N(0, 1e-3²), drawn by the seed: what α starts with (DARTS, §A.1).</summary>
    protected double[] InitialArchitecture(int count) => [.. Enumerable.Range(0, count).Select(_ => InitialSpread * initial.NextGaussian())];

    /// <inheritdoc cref="Supernets.Supernet.ReplaceLayerChoice(Func{LayerChoice, ChoiceModule})"/>
    protected void ReplaceLayerChoice(Func<LayerChoice, ChoiceModule> factory) => Supernet.ReplaceLayerChoice(factory);

    /// <inheritdoc cref="Supernets.Supernet.ReplaceInputChoice(Func{InputChoice, ChoiceModule})"/>
    protected void ReplaceInputChoice(Func<InputChoice, ChoiceModule> factory) => Supernet.ReplaceInputChoice(factory);

    /// <summary>
    /// The epochs of the search that are still to do, with a checkpoint after each. A checkpoint holds the supernet's tensors, the state of <paramref name="optimizers"/>
    /// and whatever else they optimise; a trainer that keeps more from step to step is <see cref="ICheckpointed"/> itself.
    /// </summary>
    protected IEnumerable<int> Epochs(params IReadOnlyList<Optimizer> optimizers)
    {
        ArgumentNullException.ThrowIfNull(optimizers);
        Task.Checkpointer.Add("search", new TrainerState(this, optimizers));
        // A place that takes no checkpoint is told before any work is done.
        Task.Checkpointer.Save();
        try
        {
            while (Task.Epoch < Task.Options.Epochs && !Task.IsOver)
            {
                yield return Task.Epoch;
                Task.EndEpoch();
                Task.Checkpointer.Save();
            }
        }
        finally
        {
            // The optimizers do not outlive the trainer's loop, and later checkpoints need their state too.
            Task.Checkpointer.Freeze("search");
        }
    }

    /// <summary>Makes the running epoch the last one. A trainer that leaves the loop of <see cref="Epochs"/> in another way would be resumed in its midst.</summary>
    protected void EndAfterEpoch() => Task.IsOver = true;

    /// <summary>The loss of the supernet on a batch, in training mode, as a scalar to derive from: the one for the architecture, whose labels are never smoothed.</summary>
    protected Tensor LossOf(Batch batch) => LossOf(Task.Loss, batch);

    /// <summary>As <see cref="LossOf(Batch)"/>, but the one for the weights: with smoothed labels where the options ask for it.</summary>
    protected Tensor TrainingLossOf(Batch batch) => LossOf(Task.TrainingLoss, batch);

    /// <summary>One step of the architecture on a batch. Weights and running statistics stay bit for bit as they are.</summary>
    protected double ArchitectureStep(Optimizer optimizer, Batch batch) => ArchitectureStep(optimizer, () => LossOf(batch));

    /// <summary>One step of the architecture down any loss. Running statistics stay as they are.</summary>
    protected double ArchitectureStep(Optimizer optimizer, Func<Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        using var scope = NewDisposeScope();
        using var buffers = FreezeBuffers();
        return GradientStep.Apply(loss(), optimizer, 0, Task.Options.Lr, Task.Position, PenaltyWeight);
    }

    /// <summary>
    /// One step of the architecture down a loss as it would be after one more step of the weights on <paramref name="train"/>: the second order of DARTS
    /// (Liu, Simonyan, Yang 2019, eq. 6-8). Weights, their momentum and running statistics come back bit for bit. <paramref name="loss"/> runs once.
    /// </summary>
    protected double ArchitectureStep(Optimizer optimizer, SgdOptimizer weights, Batch train, Func<Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(loss);
        using var scope = NewDisposeScope();
        using var buffers = FreezeBuffers();
        var seed = unchecked((long)NextRandom().NextUInt64());
        var value = 0.0;
        optimizer.Step(new UnrolledStep(optimizer.Parameters, weights).Gradient(TrainLoss, ValidLoss));
        return value;

        // The same function whenever it is called: dropout draws the same.
        Tensor TrainLoss()
        {
            manual_seed(seed);
            return TrainingLossOf(train);
        }

        Tensor ValidLoss()
        {
            var valid = loss();
            GradientStep.RequireFinite(value = valid.to_type(ScalarType.Float64).item<double>(), Task.Options.Lr, Task.Position, PenaltyWeight);
            return valid;
        }
    }

    /// <summary>Keeps the running statistics as they are until the result is disposed.</summary>
    protected IDisposable FreezeBuffers() => new BufferFreeze(Supernet);

    /// <summary>One step of the weights on a batch, the gradient clipped as the options say. The architecture stays bit for bit as it is.</summary>
    protected double WeightStep(Optimizer optimizer, Batch batch)
    {
        using var scope = NewDisposeScope();
        return Task.LastLoss = GradientStep.Apply(TrainingLossOf(batch), optimizer, Task.Options.GradClip, Task.Options.Lr, Task.Position, PenaltyWeight);
    }

    /// <summary>The gradient of a loss for the parameters of an optimizer; null where the loss does not depend on one.</summary>
    protected static IReadOnlyList<Tensor?> GradientsOf(Tensor loss, Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(optimizer);
        return GradientStep.Of(loss, optimizer.Parameters);
    }

    /// <summary>One step of the weights down gradients computed before, clipped as the options say.</summary>
    protected void Apply(Optimizer optimizer, double loss, IReadOnlyList<Tensor?> gradients)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        GradientStep.RequireFinite(loss, Task.Options.Lr, Task.Position, PenaltyWeight);
        optimizer.Step(GradientStep.Clip([.. gradients], Task.Options.GradClip));
        Task.LastLoss = loss;
    }

    /// <summary>
    /// A generator for the next thing to draw: a pure function of the seed, the step and how many were asked for in this step, so that a resumed search draws the same.
    /// </summary>
    protected SeededRandom NextRandom() => Task.NextRandom();

    /// <summary>Sets the learning rate of the weights for an epoch, as the schedule of the options says, and returns it.</summary>
    protected double SetLearningRate(Optimizer optimizer, int epoch, int epochs)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return optimizer.LearningRate = Schedule.LearningRate(Task.Options, epoch, epochs);
    }

    /// <summary>Scores the supernet on the validation samples and reports the epoch.</summary>
    /// <exception cref="TrainingException">The validation loss is not finite.</exception>
    protected virtual void Report(int epoch, double lr)
    {
        var loss = Validate();
        GradientStep.RequireFinite(loss, Task.Options.Lr, $"the validation after epoch {epoch + 1}, step {Task.StepsPerEpoch}", PenaltyWeight);
        Task.Report(new("search", epoch + 1, Task.EpochLoss, loss, ValidMetric, lr, Task.EpochSeconds));
    }

    /// <summary>Sets <see cref="ValidMetric"/> to that of the supernet as it is now; returns the loss.</summary>
    private protected double Validate()
    {
        (var loss, ValidMetric) = Scoring.Score(Supernet.Module, Supernet.Forward, Task.Validation, Task.Loss, Task.Metric());
        return loss;
    }

    /// <summary>The metric of an architecture on the validation samples, once the supernet is trained: by a <see cref="SubnetScorer"/>, unless a trainer knows it otherwise.</summary>
    protected virtual double MetricOf(Architecture architecture) => Scored(ref scorer, "scores", 0, architecture);

    /// <summary>The metric that a finalist is ranked by: as <see cref="MetricOf"/>, but of one that has been trained on for <see cref="SearchOptions.FinalistEpochs"/>.</summary>
    protected virtual double FinalistMetricOf(Architecture architecture) =>
        Task.Options.FinalistEpochs == 0 ? MetricOf(architecture) : Scored(ref finalistScorer, "finalists", Task.Options.FinalistEpochs, architecture);

    /// <summary>The same scores, of which each is told to who hears how training goes on.</summary>
    private protected Func<Architecture, double> Shown(string phase, long most, Func<Architecture, double> score)
    {
        var scored = 0L;
        return architecture =>
        {
            var result = score(architecture);
            Task.Scored(phase, ++scored, most);
            return result;
        };
    }

    /// <summary>How good an architecture with this metric is: the larger the better, its cost reckoned in.</summary>
    public double Reward(Architecture architecture, double metric)
    {
        var reward = Task.Metric().HigherIsBetter ? metric : -metric;
        return Task.Penalty?.ShapeReward(reward, architecture) ?? reward;
    }

    /// <summary>Frees the supernet.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Supernet.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    private List<Architecture> WithinBudget(IReadOnlyList<Architecture> finalists)
    {
        var allowed = finalists.Where(Task.Budget.Allows).ToList();
        if (allowed.Count > 0)
            return allowed;
        var first = finalists[0];
        var nearest = Task.Budget.Best(choice => choice.Candidates.Select((_, k) => first[choice.Label].Contains(k) ? 1.0 : 0.0));
        Task.Note($"{first}, which {Task.Options.Strategy} returned, is over the budget; {nearest}, the nearest within it, takes its place");
        return [nearest];
    }

    private double Scored(ref SubnetScorer? scorer, string section, int epochs, Architecture architecture)
    {
        if (scorer is null)
        {
            scorer = new(this, epochs);
            Task.Checkpointer.Add(section, scorer);
        }

        return scorer.Score(architecture).Metric;
    }

    private Tensor LossOf(Loss loss, Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Supernet.Module.Training = true;
        return loss.Of(Supernet.Forward(batch.Inputs)[0], batch.Label);
    }

    private sealed class BufferFreeze : IDisposable
    {
        private readonly Supernet supernet;

        public BufferFreeze(Supernet supernet)
        {
            this.supernet = supernet;
            supernet.Module.UpdateBuffers = false;
        }

        public void Dispose() => supernet.Module.UpdateBuffers = true;
    }
}
