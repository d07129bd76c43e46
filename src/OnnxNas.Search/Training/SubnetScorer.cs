using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using ExternalException = System.Runtime.InteropServices.ExternalException;

namespace OnnxNas.Search.Training;

/// <summary>
/// Scores single architectures with the weights of a trained supernet: cut out, trained on where that is asked for, batch normalisation recalibrated on training batches,
/// then run over the validation samples. The supernet is left as it is. Every architecture is scored once, also by a search that is interrupted and resumed, where the scorer is part of its checkpoints.
/// </summary>
public sealed class SubnetScorer : ICheckpointed
{
    private readonly TrainingTask task;
    private readonly Model model;
    private readonly int epochs;
    private readonly Dictionary<Architecture, (double Loss, double Metric)> known = [];

    /// <summary>A scorer over the weights that the trainer's supernet has now.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="epochs">Epochs that each architecture is trained on for, all in the same way, before it is scored.</param>
    public SubnetScorer(OneShotTrainer trainer, int epochs = 0)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        this.epochs = epochs;
        task = trainer.Task;
        model = task.Space.Model.Clone();
        trainer.Supernet.WriteBack(model);
    }

    /// <summary>Validation loss and metric of an architecture; not numbers where it diverged while it was trained on.</summary>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    public (double Loss, double Metric) Score(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        if (known.TryGetValue(architecture, out var score))
            return score;
        task.Checkpointer.StopIfAsked(task.Cancellation);
        task.Checkpointer.SaveNowAndThen();
        return known[architecture] = TryScore(architecture);
    }

    /// <inheritdoc/>
    public void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (i, (architecture, score)) in known.Index())
        {
            var entry = state.Section($"{i}");
            entry.Put("architecture", architecture.ToJson());
            entry.Put("loss", score.Loss);
            entry.Put("metric", score.Metric);
        }
    }

    /// <inheritdoc/>
    public void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var name in state.Names)
        {
            var entry = state.Section(name);
            known[Architecture.Parse(task.Space, entry.GetString("architecture"))] = (entry.GetDouble("loss"), entry.GetDouble("metric"));
        }
    }

    // One architecture that fails must not cost the search of all others.
    private (double Loss, double Metric) TryScore(Architecture architecture)
    {
        try
        {
            var subnet = Pruner.Prune(model, architecture);
            if (epochs > 0 && !IsTrained(subnet, $"finalist_{known.Count + 1}"))
                return (double.NaN, double.NaN);
            BatchNormRecalibration.Run(subnet, task.Training, task.Device, task.Options.RecalibrationBatches);
            using var module = new GraphModule(subnet, device: task.Device);
            return Scoring.Score(module, module.Forward, task.Validation, task.Loss, task.Metric());
        }
        catch (Exception e) when (e is OnnxNasException or ExternalException)
        {
            task.Note($"{architecture} fails and ranks last: {e.Message.Split('\n')[0].Trim()}");
            return (double.NaN, double.NaN);
        }
    }

    // Whether training on ended well. One architecture that does not stand the learning rate must not cost the search of all others.
    private bool IsTrained(Model subnet, string phase)
    {
        try
        {
            task.Alone(subnet, epochs, phase);
            return true;
        }
        catch (TrainingException e)
        {
            task.Note($"{phase} diverged and ranks last: {e.Message}");
            return false;
        }
    }
}
