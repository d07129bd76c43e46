using System.Diagnostics;
using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Trains one plain model: the winner of a search, or any other architecture alone.</summary>
public sealed class WinnerTrainer
{
    private readonly SearchOptions options;
    private readonly Loss loss;
    private readonly Func<Metric> metric;
    private readonly ITrainingProgress progress;
    private readonly Device device;
    private readonly CancellationToken cancellation;
    private readonly Checkpointer checkpointer;

    /// <summary>A trainer with these settings. Checkpoints are made where a <paramref name="checkpointer"/> is given.</summary>
    /// <exception cref="DataException">Labels are to be smoothed, and the loss is not cross-entropy.</exception>
    public WinnerTrainer(SearchOptions options, Loss loss, Func<Metric> metric, ITrainingProgress progress, Device device, CancellationToken cancellation, Checkpointer? checkpointer = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loss);
        (this.options, this.loss, this.metric, this.progress, this.device, this.cancellation) = (options, loss.Smoothed(options.LabelSmoothing), metric, progress, device, cancellation);
        this.checkpointer = checkpointer ?? new();
    }

    /// <summary>
    /// Trains for <paramref name="epochs"/> epochs by SGD, and writes weights and running statistics into the model. With <see cref="SearchOptions.Ema"/> these are the moving
    /// averages of the weights, and statistics recomputed for them: running ones are of the weights as they moved.
    /// </summary>
    /// <exception cref="TrainingException">The loss or a weight is not finite.</exception>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    /// <param name="model">A plain model.</param>
    /// <param name="data">The samples.</param>
    /// <param name="epochs">Passes over them.</param>
    /// <param name="phase">What progress and checkpoints call it.</param>
    public void Fit(Model model, Dataset data, int epochs, string phase = "retrain")
    {
        ArgumentNullException.ThrowIfNull(model);
        using var module = new GraphModule(model, device: device) { Training = true };
        var parameters = module.Parameters.Values.ToList();
        if (parameters.Count == 0 || epochs == 0)
            return;
        var loader = new BatchLoader(data, model.Graph, loss, options.BatchSize, options.Seed + 2, device);
        using var optimizer = options.NewWeightOptimizer(parameters);
        using var averages = options.Ema > 0 ? new WeightAverages(module.Parameters, options.Ema) : null;
        var state = new State(module, optimizer, metric(), averages);
        checkpointer.Add(phase, state);
        try
        {
            Run();
        }
        finally
        {
            // The module's tensors end here, and later checkpoints need them too.
            checkpointer.Freeze(phase);
        }

        // Nothing is computed from the last step's weights any more that would tell.
        if (module.Parameters.FirstOrDefault(p => !IsFinite(p.Value)) is { Key: { } name })
            throw new TrainingException($"Weight '{name}' is not finite after retraining epoch {epochs}, step {loader.Count}. Try a lower --lr (now {options.Lr.ToString(CultureInfo.InvariantCulture)}), a lower --grad-clip, or inputs scaled to about 0..1.");
        averages?.Replace();
        module.WriteBack(model.Graph);
        if (averages is not null)
            BatchNormRecalibration.Run(model, loader, device);

        void Run()
        {
            for (var epoch = state.Position.Epoch; epoch < epochs; epoch++)
            {
                var lr = optimizer.LearningRate = Schedule.LearningRate(options, epoch, epochs);
                foreach (var indices in loader.Shuffled(epoch).Skip(state.Position.Begin(epoch)))
                {
                    checkpointer.StopIfAsked(cancellation);
                    TorchGenerator.Seed(options.Seed, RandomStreams.TorchRetraining, epoch * loader.Count + state.Position.Steps);
                    var before = Stopwatch.GetTimestamp();
                    using var scope = NewDisposeScope();
                    var batch = loader.Load(indices);
                    var output = module.Forward(batch.Inputs)[0];
                    var position = $"retraining epoch {epoch + 1}, step {state.Position.Steps + 1} of {loader.Count}";
                    var value = GradientStep.Apply(loss.Of(output, batch.Label), optimizer, options.GradClip, options.Lr, position);
                    averages?.Add(epoch * loader.Count + state.Position.Steps + 1);
                    state.Metric.Add(output.ToTensorData(), batch.Label.ToTensorData());
                    var time = Stopwatch.GetElapsedTime(before);
                    state.Position.Add(value, time.TotalSeconds);
                    progress.Step(phase, epoch * loader.Count + state.Position.Steps, epochs * loader.Count, value, time.TotalMilliseconds);
                }

                progress.Epoch(new(phase, epoch + 1, state.Position.MeanLoss, null, state.Metric.Value, lr, state.Position.Seconds));
                state.EndEpoch(metric());
                checkpointer.Save();
            }
        }

        static bool IsFinite(Tensor weight)
        {
            using var scope = NewDisposeScope();
            return weight.isfinite().all().item<bool>();
        }
    }

    /// <summary>Everything that a step changes.</summary>
    private sealed class State(GraphModule module, Optimizer optimizer, Metric metric, WeightAverages? averages) : ICheckpointed
    {
        public EpochPosition Position { get; } = new();

        public Metric Metric { get; private set; } = metric;

        public void EndEpoch(Metric next)
        {
            Position.Next();
            Metric = next;
        }

        public void Save(CheckpointState state)
        {
            foreach (var (name, tensor) in module.State)
                state.Section("tensors").Put(name, tensor);
            optimizer.Save(state.Section("optimizer"));
            averages?.Save(state.Section("averages"));
            Position.Save(state.Section("position"));
            Metric.Save(state.Section("metric"));
        }

        public void Restore(CheckpointState state)
        {
            foreach (var (name, tensor) in module.State)
                state.Section("tensors").CopyInto(name, tensor);
            optimizer.Restore(state.Section("optimizer"));
            averages?.Restore(state.Section("averages"));
            Position.Restore(state.Section("position"));
            Metric.Restore(state.Section("metric"));
        }
    }
}
