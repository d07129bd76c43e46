using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Metrics;

/// <summary>A number that says how good predictions are. Batches are added one after another and need not be of equal size.</summary>
public abstract class Metric : ICheckpointed
{
    /// <summary>The name in reports, such as <c>accuracy</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether larger is better.</summary>
    public abstract bool HigherIsBetter { get; }

    /// <summary>The metric of everything added so far; NaN before anything was.</summary>
    public abstract double Value { get; }

    /// <summary>Adds a batch. The first axis of both tensors is the samples.</summary>
    /// <exception cref="DataException">The two do not fit together.</exception>
    public abstract void Add(TensorData predictions, TensorData labels);

    /// <inheritdoc/>
    public abstract void Save(CheckpointState state);

    /// <inheritdoc/>
    public abstract void Restore(CheckpointState state);
}
