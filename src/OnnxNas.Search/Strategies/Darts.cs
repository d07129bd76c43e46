using OnnxNas.Ir;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// DARTS (Liu, Simonyan, Yang 2019): every choice is the mix of its candidates by softmax(α); α follows the validation
/// loss, the weights the training loss, in turn. First order (ξ = 0) unless <see cref="SearchOptions.Unrolled"/>.
/// </summary>
[Strategy("darts", "differentiable: mixed ops, alternating steps; second order with --unrolled")]
public sealed class Darts : RelaxedTrainer
{
    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">A choice has no relaxation: an InputChoice that concatenates, or a choice among integers.</exception>
    public Darts(TrainingTask task) : base(task) => Relax();

    /// <inheritdoc/>
    protected internal override void StepArchitecture(Batch train, Batch valid)
    {
        if (Task.Options.Unrolled)
            ArchitectureStep(Alphas, Weights, train, () => Penalised(LossOf(valid)));
        else
            base.StepArchitecture(train, valid);
    }
}
