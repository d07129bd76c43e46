using OnnxNas.Search.Checkpoints;
using TorchSharp.Modules;

namespace OnnxNas.Search.Training;

/// <summary>
/// Everything that the steps of a trainer change: the supernet's tensors, other parameters that are optimised, the optimizers, the place in the loop,
/// and what the strategy keeps of its own.
/// </summary>
internal sealed class TrainerState(OneShotTrainer trainer, IReadOnlyList<Optimizer> optimizers) : ICheckpointed
{
    public void Save(CheckpointState state)
    {
        foreach (var (name, part) in Parts())
            part.Save(state.Section(name));
        var own = state.Section("parameters");
        foreach (var (name, parameter) in OwnParameters())
            own.Put(name, parameter);
        state.Put("valid_metric", trainer.ValidMetric);
    }

    public void Restore(CheckpointState state)
    {
        foreach (var (name, part) in Parts())
            part.Restore(state.Section(name));
        var own = state.Section("parameters");
        foreach (var (name, parameter) in OwnParameters())
            own.CopyInto(name, parameter);
        trainer.ValidMetric = state.GetDouble("valid_metric");
    }

    private IEnumerable<(string Name, ICheckpointed Part)> Parts()
    {
        yield return ("supernet", trainer.Supernet);
        yield return ("loop", trainer.Task);
        for (var i = 0; i < optimizers.Count; i++)
            yield return ($"optimizer_{i}", optimizers[i]);
        if (trainer is ICheckpointed strategy)
            yield return ("strategy", strategy);
    }

    // A controller's, say: those that no part of the supernet holds.
    private IEnumerable<(string Name, Parameter Parameter)> OwnParameters()
    {
        var known = trainer.Supernet.Weights.Concat(trainer.Supernet.ArchitectureParameters).ToHashSet(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < optimizers.Count; i++)
        {
            for (var j = 0; j < optimizers[i].Parameters.Count; j++)
            {
                if (known.Add(optimizers[i].Parameters[j]))
                    yield return ($"{i}/{j}", optimizers[i].Parameters[j]);
            }
        }
    }
}
