using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;

namespace OnnxNas.Search.Training;

/// <summary>
/// Scores single architectures with the weights of a trained supernet: cut out, batch normalisation recalibrated on training batches, then run over the
/// validation samples. The supernet is left as it is. Every architecture is scored once.
/// </summary>
public sealed class SubnetScorer
{
    private readonly TrainingTask task;
    private readonly Model model;
    private readonly Dictionary<Architecture, (double Loss, double Metric)> known = [];

    /// <summary>A scorer over the weights that the trainer's supernet has now.</summary>
    public SubnetScorer(OneShotTrainer trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        task = trainer.Task;
        model = task.Space.Model.Clone();
        trainer.Supernet.WriteBack(model);
    }

    /// <summary>Validation loss and metric of an architecture.</summary>
    public (double Loss, double Metric) Score(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        if (known.TryGetValue(architecture, out var score))
            return score;
        var subnet = Pruner.Prune(model, architecture);
        BatchNormRecalibration.Run(subnet, task.Training, task.Device);
        using var module = new GraphModule(subnet, device: task.Device);
        return known[architecture] = Scoring.Score(module, module.Forward, task.Validation, task.Loss, task.Metric());
    }
}
