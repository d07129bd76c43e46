using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// GDAS (Dong, Yang 2019, eq. 4-6): one candidate runs, the arg-max of α + G, with weight onehot + p̃ − sg(p̃), p̃ = softmax((α + G)/τ): forward it is
/// that branch exactly, backward ∂L/∂p̃_k of the branch that ran. Branches that did not run get no gradient, and enter the backward pass only as the
/// normaliser of p̃. Of an InputChoice the n largest run, with n·p̃ for p̃; where any number may be chosen, those whose noisy gate is open, at least the widest.
/// </summary>
[Strategy("gdas", "differentiable: one sampled branch, straight-through Gumbel-softmax")]
public sealed class Gdas : GradientTrainer, IStrategyDefaults
{
    /// <summary>Prepares the search.</summary>
    /// <exception cref="Ir.ChoiceException">A choice cannot be weighted.</exception>
    public Gdas(TrainingTask task) : base(task) => Sample(Draw);

    /// <summary>The temperature falls from 10 to 0.1, as in the authors' experiments.</summary>
    public static SearchOptions Defaults(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Temperature = 10, MinTemperature = 0.1 };
    }

    private Mixture Draw(Choice choice)
    {
        if (!Supernet.Module.Training)
            return new(Likeliest(choice));
        using var temperature = Scalars.Temporary(Temperature);
        var logits = Noisy(choice, NextRandom()).div(temperature);
        var soft = ProbabilityOf(choice, logits);
        var active = Architecture.Highest(choice, soft.ToTensorData().ToDoubles());
        var parts = soft.unbind(0);
        return new(active, StraightThrough(choice, active.Select(k => parts[k]), active.Select(_ => true)));
    }
}
