using System.Diagnostics;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>What a trainer is given: the search space, the data, what to optimise, and the settings.</summary>
public sealed class TrainingTask
{
    private readonly BatchLoader train;
    private readonly BatchLoader valid;
    private readonly ITrainingProgress progress;

    /// <summary>A task.</summary>
    public TrainingTask(SearchSpace space, Dataset train, Dataset valid, Loss loss, Func<Metric> metric, SearchOptions options, ITrainingProgress progress, Device device, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(options);
        (Space, Loss, Metric, Options, Device, Cancellation) = (space, loss, metric, options, device, cancellation);
        Budget = new(space, []);
        this.progress = progress;
        this.train = new(train, space.Model.Graph, loss, options.BatchSize, options.Seed, device);
        this.valid = new(valid, space.Model.Graph, loss, options.BatchSize, options.Seed + 1, device);
    }

    /// <summary>The decisions to take.</summary>
    public SearchSpace Space { get; }

    /// <summary>What training brings down.</summary>
    public Loss Loss { get; }

    /// <summary>Makes the metric that is reported.</summary>
    public Func<Metric> Metric { get; }

    /// <summary>The settings.</summary>
    public SearchOptions Options { get; }

    /// <summary>Where tensors live.</summary>
    public Device Device { get; }

    /// <summary>What draws the search towards a cost, or null.</summary>
    public CostPenalty? Penalty { get; init; }

    /// <summary>The hard limits on what an export may cost.</summary>
    public Budget Budget { get; init; }

    /// <summary>Asks the trainer to stop.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Training steps of one epoch.</summary>
    public int StepsPerEpoch => train.Count;

    /// <summary>Steps of the search that are done, over all epochs.</summary>
    public int Step { get; private set; }

    /// <summary>Where training stands, for messages.</summary>
    internal string Position { get; private set; } = "the start";

    internal double LastLoss { get; set; }

    internal double EpochLoss { get; private set; }

    internal double EpochSeconds { get; private set; }

    /// <summary>
    /// The batches of an epoch: each training batch with a validation batch, which start over where there are fewer.
    /// Tensors made inside the loop's body live until its next turn, unless they are detached from the dispose scope.
    /// </summary>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    public IEnumerable<(Batch Train, Batch Valid)> Batches(int epoch)
    {
        var held = new Queue<int[]>();
        var round = 0;
        var (sum, done) = (0.0, 0);
        var start = Stopwatch.GetTimestamp();
        Step = epoch * StepsPerEpoch;
        foreach (var indices in train.Shuffled(epoch))
        {
            Cancellation.ThrowIfCancellationRequested();
            if (held.Count == 0)
                held = new(valid.Shuffled(epoch + Options.Epochs * round++));
            Position = $"epoch {epoch + 1}, step {done + 1} of {StepsPerEpoch}";
            var before = Stopwatch.GetTimestamp();
            using (NewDisposeScope())
                yield return (train.Load(indices), valid.Load(held.Dequeue()));
            sum += LastLoss;
            done++;
            Step = epoch * StepsPerEpoch + done;
            progress.Step("search", epoch * StepsPerEpoch + done, Options.Epochs * StepsPerEpoch, LastLoss, Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }

        EpochLoss = sum / Math.Max(1, done);
        EpochSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The training samples.</summary>
    internal BatchLoader Training => train;

    /// <summary>The validation samples in order.</summary>
    internal BatchLoader Validation => valid;

    internal void Report(EpochReport report) => progress.Epoch(report);
}
