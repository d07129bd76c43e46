using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>
/// Exponential moving averages of weights: a ← d·a + (1 − d)·w after each step. d is the decay, but less in the first steps: (1 + t)/(10 + t) in step t, counted
/// from 1, so that a short training is not held back by the weights that it began with (as in TensorFlow's ExponentialMovingAverage).
/// </summary>
internal sealed class WeightAverages : ICheckpointed, IDisposable
{
    private readonly IReadOnlyDictionary<string, Parameter> weights;
    private readonly double decay;
    private readonly Dictionary<string, Tensor> averages;

    /// <summary>Averages that begin with the weights as they are.</summary>
    public WeightAverages(IReadOnlyDictionary<string, Parameter> weights, double decay)
    {
        (this.weights, this.decay) = (weights, decay);
        using var off = no_grad();
        averages = weights.ToDictionary(w => w.Key, w => w.Value.clone().DetachFromDisposeScope());
    }

    /// <summary>Takes the weights in as they are after a step, counted from 1.</summary>
    public void Add(long step)
    {
        var kept = Math.Min(decay, (1.0 + step) / (10.0 + step));
        using var off = no_grad();
        using var old = Scalars.Temporary(kept);
        using var fresh = Scalars.Temporary(1 - kept);
        foreach (var (name, average) in averages)
            average.mul_(old).add_(weights[name], fresh);
    }

    /// <summary>Puts the averages in place of the weights.</summary>
    public void Replace()
    {
        using var off = no_grad();
        foreach (var (name, average) in averages)
            weights[name].copy_(average);
    }

    /// <inheritdoc/>
    public void Save(CheckpointState state)
    {
        foreach (var (name, average) in averages)
            state.Put(name, average);
    }

    /// <inheritdoc/>
    public void Restore(CheckpointState state)
    {
        foreach (var (name, average) in averages)
            state.CopyInto(name, average);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var average in averages.Values)
            average.Dispose();
    }
}
