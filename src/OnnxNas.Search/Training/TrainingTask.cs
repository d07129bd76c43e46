using System.Diagnostics;
using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>What a trainer is given: the search space, the data, what to optimise, and the settings.</summary>
public sealed class TrainingTask : ICheckpointed
{
    private readonly BatchLoader train;
    private readonly BatchLoader valid;
    private readonly Dataset validation;
    private readonly ITrainingProgress progress;
    private readonly EpochPosition position = new();
    private (int Step, int Count) draws;

    /// <summary>A task. Checkpoints are made where a <paramref name="checkpointer"/> is given.</summary>
    /// <exception cref="DataException">Labels are to be smoothed, and the loss is not cross-entropy.</exception>
    public TrainingTask(SearchSpace space, Dataset train, Dataset valid, Loss loss, Func<Metric> metric, SearchOptions options, ITrainingProgress progress, Device device, CancellationToken cancellation, Checkpointer? checkpointer = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(options);
        (Space, Loss, Metric, Options, Device, Cancellation) = (space, loss, metric, options, device, cancellation);
        ArgumentNullException.ThrowIfNull(loss);
        TrainingLoss = loss.Smoothed(options.LabelSmoothing);
        Budget = new(space, [], options.MaxSkips);
        (Samples, validation, this.progress) = (train, valid, progress);
        Checkpointer = checkpointer ?? new();
        this.train = new(train, space.Model.Graph, loss, options.BatchSize, options.Seed, device);
        this.valid = new(valid, space.Model.Graph, loss, options.BatchSize, options.Seed + 1, device);
    }

    /// <summary>The training samples.</summary>
    public Dataset Samples { get; }

    /// <summary>The decisions to take.</summary>
    public SearchSpace Space { get; }

    /// <summary>What the architecture is trained by, and what is scored.</summary>
    public Loss Loss { get; }

    /// <summary>What the weights are trained by: <see cref="Loss"/>, with smoothed labels where the options ask for it.</summary>
    public Loss TrainingLoss { get; }

    /// <summary>Makes the metric that is reported.</summary>
    public Func<Metric> Metric { get; }

    /// <summary>The settings.</summary>
    public SearchOptions Options { get; }

    /// <summary>Where tensors live.</summary>
    public Device Device { get; }

    /// <summary>What draws the search towards a cost, or null.</summary>
    public CostPenalty? Penalty { get; init; }

    /// <summary>The hard limits on what an export may cost, and on its skips; only the latter unless given.</summary>
    public Budget Budget { get; init; }

    /// <summary>Asks the trainer to stop.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Makes checkpoints. A trainer adds what it changes; <see cref="OneShotTrainer.Epochs"/> does so for most.</summary>
    public Checkpointer Checkpointer { get; }

    /// <summary>Training steps of one epoch.</summary>
    public int StepsPerEpoch => train.Count;

    /// <summary>Steps of the search that are done, over all epochs.</summary>
    public int Step => position.Epoch * StepsPerEpoch + position.Steps;

    /// <summary>The running epoch, counted from 0.</summary>
    internal int Epoch => position.Epoch;

    /// <summary>Where training stands, for messages.</summary>
    internal string Position { get; private set; } = "the start";

    internal double LastLoss { get; set; }

    /// <summary>Whether the trainer has asked for no further epoch.</summary>
    internal bool IsOver { get; set; }

    internal double EpochLoss => position.MeanLoss;

    internal double EpochSeconds => position.Seconds;

    /// <summary>
    /// The batches of an epoch: each training batch with a validation batch, which start over where there are fewer. Those done before the search was interrupted are left out.
    /// Tensors made inside the loop's body live until its next turn, unless they are detached from the dispose scope. Before each step libtorch's generator (dropout)
    /// is set by seed and step.
    /// </summary>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    public IEnumerable<(Batch Train, Batch Valid)> Batches(int epoch)
    {
        var held = new Queue<int[]>();
        var round = 0;
        var done = position.Begin(epoch);
        foreach (var (step, indices) in train.Shuffled(epoch).Index())
        {
            if (held.Count == 0)
                held = new(valid.Shuffled(epoch + Options.Epochs * round++));
            var validIndices = held.Dequeue();
            if (step < done)
                continue;
            Checkpointer.StopIfAsked(Cancellation);
            Position = $"epoch {epoch + 1}, step {step + 1} of {StepsPerEpoch}";
            TorchGenerator.Seed(Options.Seed, RandomStreams.Torch, Step);
            var before = Stopwatch.GetTimestamp();
            using (NewDisposeScope())
                yield return (train.Load(indices), valid.Load(validIndices));
            var time = Stopwatch.GetElapsedTime(before);
            position.Add(LastLoss, time.TotalSeconds);
            progress.Step("search", Step, Options.Epochs * StepsPerEpoch, LastLoss, time.TotalMilliseconds);
        }
    }

    /// <summary>Goes on to the next epoch.</summary>
    internal void EndEpoch()
    {
        position.Next();
        IsOver |= IsRehearsal;
    }

    /// <summary>
    /// A task that ends after one step of weights and architecture, on the first batch of this one's samples: nobody hears of it, and no checkpoint is made. A trainer that
    /// fits it shows whether it could fit this one, which is left as it is.
    /// </summary>
    public TrainingTask ForRehearsal() => new(Space, First(Samples), First(validation), Loss, Metric, Options with { WarmupEpochs = 0 }, new Silence(), Device, Cancellation)
    {
        Penalty = Penalty,
        Budget = Budget,
        IsRehearsal = true,
    };

    private bool IsRehearsal { get; init; }

    private Dataset First(Dataset data) => data.Subset(Enumerable.Range(0, Math.Min(Options.BatchSize, data.Count)));

    /// <summary>A generator for the next thing to draw in this step.</summary>
    internal SeededRandom NextRandom()
    {
        if (draws.Step != Step)
            draws = (Step, 0);
        return new(Options.Seed, RandomStreams.Step, Step, draws.Count++);
    }

    /// <summary>The training samples.</summary>
    internal BatchLoader Training => train;

    /// <summary>The validation samples in order.</summary>
    internal BatchLoader Validation => valid;

    /// <summary>Trains a plain model alone on the training samples, by the settings of the weights. No checkpoint is made while it runs.</summary>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    internal void Alone(Model model, int epochs, string phase) =>
        new WinnerTrainer(Options, Loss, Metric, progress, Device, Cancellation).Fit(model, Samples, epochs, phase);

    internal void Report(EpochReport report) => progress.Epoch(report);

    internal void Scored(string phase, long scored, long most) => progress.Scored(phase, scored, most);

    internal void Note(string text) => progress.Note(text);

    /// <inheritdoc/>
    void ICheckpointed.Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        position.Save(state.Section("position"));
        state.Put("last_loss", LastLoss);
        state.Put("is_over", IsOver ? 1 : 0);
        state.Put("draws_step", draws.Step);
        state.Put("draws", draws.Count);
    }

    /// <inheritdoc/>
    void ICheckpointed.Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        position.Restore(state.Section("position"));
        LastLoss = state.GetDouble("last_loss");
        IsOver = state.GetInt64("is_over") != 0;
        draws = ((int)state.GetInt64("draws_step"), (int)state.GetInt64("draws"));
    }
}
