using OnnxNas.Ir;
using OnnxNas.Operators.Native;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>
/// A one-shot search: <see cref="Fit"/> trains weights and architecture together in one supernet, <see cref="Export"/> returns the
/// best architecture. A trainer replaces every choice in its constructor; all else is up to it.
/// </summary>
public abstract class OneShotTrainer : IDisposable
{
    /// <summary>Prepares the supernet of the task.</summary>
    protected OneShotTrainer(TrainingTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        TorchRuntime.EnsureLoaded();
        Task = task;
        Supernet = new(task.Space, task.Device);
    }

    /// <summary>What is searched, on what, and how.</summary>
    public TrainingTask Task { get; }

    /// <summary>The supernet.</summary>
    public Supernet Supernet { get; }

    /// <summary>Trains weights and architecture.</summary>
    public abstract void Fit();

    /// <summary>The best architecture found.</summary>
    public abstract Architecture Export();

    /// <summary>How strongly each candidate of a choice is preferred, or an empty list where the trainer has no such notion.</summary>
    public virtual IReadOnlyList<double> Probabilities(Choice choice) => [];

    /// <summary>The metric of the supernet, as it is, on the validation samples.</summary>
    public double ValidMetric { get; private set; } = double.NaN;

    /// <inheritdoc cref="Supernets.Supernet.ReplaceLayerChoice(Func{LayerChoice, ChoiceModule})"/>
    protected void ReplaceLayerChoice(Func<LayerChoice, ChoiceModule> factory) => Supernet.ReplaceLayerChoice(factory);

    /// <inheritdoc cref="Supernets.Supernet.ReplaceInputChoice(Func{InputChoice, ChoiceModule})"/>
    protected void ReplaceInputChoice(Func<InputChoice, ChoiceModule> factory) => Supernet.ReplaceInputChoice(factory);

    /// <summary>One step of the architecture on a batch. Weights and running statistics stay bit for bit as they are.</summary>
    protected double ArchitectureStep(optim.Optimizer optimizer, Batch batch)
    {
        Supernet.Module.UpdateBuffers = false;
        var loss = Step(optimizer, Supernet.ArchitectureParameters, batch, 0);
        Supernet.Module.UpdateBuffers = true;
        return loss;
    }

    /// <summary>One step of the weights on a batch, the gradient clipped as the options say. The architecture stays bit for bit as it is.</summary>
    protected double WeightStep(optim.Optimizer optimizer, Batch batch) =>
        Task.LastLoss = Step(optimizer, Supernet.Weights, batch, Task.Options.GradClip);

    /// <summary>Sets the cosine schedule's learning rate for an epoch, and returns it.</summary>
    protected double SetLearningRate(optim.Optimizer optimizer, int epoch, int epochs) =>
        Schedule.Apply(optimizer, Schedule.Cosine(Task.Options.Lr, Task.Options.MinLr, epoch, epochs));

    /// <summary>Scores the supernet on the validation samples and reports the epoch.</summary>
    /// <exception cref="TrainingException">The validation loss is not finite.</exception>
    protected void Report(int epoch, double lr)
    {
        (var loss, ValidMetric) = Scoring.Score(Supernet.Module, Supernet.Forward, Task.Validation, Task.Loss, Task.Metric());
        GradientStep.RequireFinite(loss, Task.Options.Lr, $"the validation after epoch {epoch + 1}, step {Task.StepsPerEpoch}");
        Task.Report(new("search", epoch + 1, Task.EpochLoss, loss, ValidMetric, lr, Task.EpochSeconds));
    }

    private double Step(optim.Optimizer optimizer, IReadOnlyList<Parameter> parameters, Batch batch, double clip)
    {
        Supernet.Module.Training = true;
        var loss = Task.Loss.Of(Supernet.Forward(batch.Inputs)[0], batch.Label);
        return GradientStep.Apply(loss, optimizer, parameters, clip, Task.Options.Lr, Task.Position);
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
}
