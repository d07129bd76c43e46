using OnnxNas.Operators;
using OnnxNas.Search.Choices;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary>What a choice computes in one forward run.</summary>
/// <param name="Active">The candidates that are computed, in ascending order. No other runs, nor gets a gradient.</param>
/// <param name="Weights">
/// One number for each active candidate, multiplied with its output before they are added up; null joins the active ones as the marker says
/// (for a LayerChoice, the one there is).
/// </param>
/// <param name="Stopped">Active candidates that get no gradient, nor anything before them: only their weights do. For mixtures with weights.</param>
public sealed record Mixture(IReadOnlyList<int> Active, IReadOnlyList<Tensor>? Weights = null, IReadOnlyList<int>? Stopped = null);

/// <summary>A choice computed as a <see cref="Mixture"/>, which is drawn once before each forward run and holds for all markers of the label.</summary>
public sealed class MixtureModule : ChoiceModule
{
    private readonly Choice choice;
    private readonly Func<Mixture> draw;
    private Mixture? current;

    /// <summary>A module for a choice; <paramref name="draw"/> runs before each forward run, in its dispose scope.</summary>
    public MixtureModule(Choice choice, Func<Mixture> draw) => (this.choice, this.draw) = (choice, draw);

    /// <inheritdoc/>
    public override void BeforeForward() => current = draw();

    /// <inheritdoc/>
    public override Tensor Forward(ILazyInputs candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var (active, weights, stopped) = current ?? throw new InvalidOperationException($"Choice '{choice.Label}' runs before anything was drawn for it.");
        if (weights is null)
            return new Joint(active, (choice as InputChoice)?.Reduction ?? Reduction.Sum, (choice as InputChoice)?.Axis ?? 1).Run(candidates);
        return MixOperator.WeightedSum(weights, i => Output(active[i]));

        Tensor Output(int k) => stopped?.Contains(k) == true ? candidates[k].detach() : candidates[k];
    }
}
