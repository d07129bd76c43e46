using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// Trains architectures alone, one after another, each from fresh weights with a schedule of its own: the epochs of the search are dealt out evenly, so that all together
/// take as many weight steps as a one-shot search. Each is scored on validation after its last epoch, as it stands, and one that diverged has no score and ranks last; the weights of the best are what the supernet holds in the end.
/// The supernet runs nothing but the architecture's own nodes, so that it learns as its plain model would.
/// </summary>
public abstract class StandaloneTrainer : SamplingTrainer, ICheckpointed
{
    private readonly List<double> metrics = [];
    private readonly Dictionary<string, Tensor> best = [];
    private IReadOnlyList<Architecture>? plan;

    // The architecture whose turn it is: nothing more is done about it.
    private bool hasDiverged;

    /// <summary>Prepares the search.</summary>
    protected StandaloneTrainer(TrainingTask task) : base(task)
    {
    }

    private IReadOnlyList<Architecture> Plan => plan ??= Architectures();

    /// <summary>What is trained: at least one, at most one an epoch, all within the budget.</summary>
    protected abstract IReadOnlyList<Architecture> Architectures();

    /// <inheritdoc/>
    protected override double BeginEpoch(SgdOptimizer weights, int epoch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var (index, first, count) = Turn(epoch);
        Path = Plan[index];
        if (epoch == first && Task.Step == epoch * Task.StepsPerEpoch)
        {
            var fresh = Task.Space.Model.Clone();
            WeightInitialization.Reset(fresh, new SeededRandom(Task.Options.Seed, RandomStreams.InitialWeights, index));
            Take(name => fresh.Graph.Find(name)?.Initializer?.ToTorch(Task.Device));
            weights.Reset();
            hasDiverged = false;
        }

        return SetLearningRate(weights, epoch - first, count);
    }

    /// <inheritdoc/>
    protected override void Step(Optimizer weights, Batch train, Batch valid)
    {
        if (hasDiverged)
            return;
        try
        {
            WeightStep(weights, train);
        }
        catch (TrainingException e)
        {
            Diverge(e);
        }
    }

    /// <inheritdoc/>
    protected override void Report(int epoch, double lr)
    {
        try
        {
            if (!hasDiverged)
            {
                base.Report(epoch, lr);
                return;
            }
        }
        catch (TrainingException e)
        {
            Diverge(e);
        }

        ValidMetric = double.NaN;
        Task.Report(new("search", epoch + 1, Task.EpochLoss, null, ValidMetric, lr, Task.EpochSeconds));
    }

    /// <inheritdoc/>
    protected override void EndEpoch(int epoch)
    {
        var (index, first, count) = Turn(epoch);
        if (epoch < first + count - 1)
            return;
        metrics.Add(ValidMetric);
        if (!Ranks()[0].Architecture.Equals(Plan[index]))
            return;
        using var off = no_grad();
        Forget();
        foreach (var (name, tensor) in Supernet.Module.State)
            best[name] = tensor.clone().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    protected override void EndFit()
    {
        // A rehearsal is over before the first architecture has had all its epochs.
        if (metrics.Count == 0)
            return;
        Take(name => best.GetValueOrDefault(name)?.alias());
        Path = Ranks()[0].Architecture;
        ValidMetric = MetricOf(Path);
    }

    /// <inheritdoc/>
    protected override double MetricOf(Architecture architecture) => metrics[Plan.Index().First(p => p.Item.Equals(architecture)).Index];

    /// <summary>As <see cref="MetricOf"/>: it has been trained alone already.</summary>
    protected override double FinalistMetricOf(Architecture architecture) => MetricOf(architecture);

    /// <inheritdoc/>
    protected override IReadOnlyList<(Architecture Architecture, double Score)> Search(Func<Architecture, double> score) => Ranks();

    /// <inheritdoc/>
    void ICheckpointed.Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Put("metrics", metrics.ToArray());
        state.Put("has_diverged", hasDiverged ? 1 : 0);
        foreach (var (name, tensor) in best)
            state.Section("best").Put(name, tensor);
    }

    /// <inheritdoc/>
    void ICheckpointed.Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        metrics.Clear();
        metrics.AddRange(state.GetDoubles("metrics"));
        hasDiverged = state.GetInt64("has_diverged") != 0;
        Forget();
        if (metrics.Count == 0)
            return;
        foreach (var (name, tensor) in Supernet.Module.State)
        {
            best[name] = empty_like(tensor).DetachFromDisposeScope();
            state.Section("best").CopyInto(name, best[name]);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            Forget();
    }

    // Whose turn an epoch is, the first epoch of that turn, and how many it has. The earlier ones get one more where epochs do not divide.
    private (int Index, int First, int Count) Turn(int epoch)
    {
        var (each, extra) = Math.DivRem(Task.Options.Epochs, Plan.Count);
        var longer = extra * (each + 1);
        return epoch < longer
            ? (epoch / (each + 1), epoch / (each + 1) * (each + 1), each + 1)
            : (extra + (epoch - longer) / each, longer + (epoch - longer) / each * each, each);
    }

    private void Diverge(TrainingException reason)
    {
        hasDiverged = true;
        Task.LastLoss = double.NaN;
        Task.Note($"{Path} diverged and ranks last: {reason.Message}");
    }

    private IReadOnlyList<(Architecture Architecture, double Score)> Ranks() =>
        [.. metrics.Select((m, i) => (Architecture: Plan[i], Score: Reward(Plan[i], m))).OrderByDescending(r => r.Score)];

    private void Take(Func<string, Tensor?> source)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        foreach (var (name, tensor) in Supernet.Module.State)
        {
            if (source(name) is { } value)
                tensor.copy_(value);
        }
    }

    private void Forget()
    {
        foreach (var tensor in best.Values)
            tensor.Dispose();
        best.Clear();
    }
}
