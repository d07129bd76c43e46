using OnnxNas.Ir;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// DARTS, first order (Liu, Simonyan, Yang 2019, ξ = 0): every choice is the mix of its candidates by softmax(α); α follows the validation
/// loss, the weights the training loss, in turn.
/// </summary>
[Strategy("darts", "differentiable, first order: mixed ops, alternating steps")]
public sealed class Darts : RelaxedTrainer
{
    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">A choice has no relaxation: an InputChoice that concatenates, or a choice among integers.</exception>
    public Darts(TrainingTask task) : base(task) => Relax();
}
