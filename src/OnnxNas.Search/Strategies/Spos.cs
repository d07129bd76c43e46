using OnnxNas.Search.Choices;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>Single path one-shot (Guo et al. 2020): each step trains one uniformly drawn architecture; then evolution over the trained supernet.</summary>
/// <param name="task">The task.</param>
[Strategy("spos", "sampling: uniform single paths, then evolution")]
public sealed class Spos(TrainingTask task) : SamplingTrainer(task)
{
    /// <inheritdoc/>
    protected override void Step(Optimizer weights, Batch train, Batch valid)
    {
        Path = Architecture.Random(Task.Space, NextRandom());
        WeightStep(weights, train);
    }
}
