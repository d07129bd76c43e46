using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// Gumbel-softmax (Xie et al. 2019, SNAS, eq. 4; Wu et al. 2019, FBNet, eq. 7): DARTS whose weights are softmax((α + G)/τ). G is drawn once a label and forward
/// run; τ falls linearly and reaches its last value in the last epoch. Without noise in evaluation.
/// </summary>
[Strategy("gumbel", "differentiable: mixed ops with Gumbel noise and a falling temperature (SNAS, FBNet)")]
public sealed class Gumbel : RelaxedTrainer, IStrategyDefaults
{
    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">A choice has no relaxation.</exception>
    public Gumbel(TrainingTask task) : base(task) => Relax();

    /// <summary>The temperature falls from 5, as in FBNet, to 0.1.</summary>
    public static SearchOptions Defaults(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Temperature = 5, MinTemperature = 0.1 };
    }

    /// <inheritdoc/>
    protected override double Softening => Temperature;

    /// <inheritdoc/>
    protected override Value Logits(Choice choice, Node marker)
    {
        ArgumentNullException.ThrowIfNull(choice);
        ArgumentNullException.ThrowIfNull(marker);
        var (graph, count) = (marker.Graph, choice.Candidates.Count);
        var noise = Supernet.Drawn(choice, "noise", new TensorType(ArchitectureType, new Shape(count)),
            () => Numbers([count], Supernet.Module.Training ? Noise.For(choice, NextRandom()) : new double[count]).ToTorch(Task.Device));
        var temperature = Supernet.Drawn(choice, "temperature", new TensorType(ArchitectureType, Shape.Scalar), () => Numbers([], Temperature).ToTorch(Task.Device));
        return graph.Call("Div", [graph.Call("Add", [Alpha(choice), noise], before: marker), temperature], before: marker);
    }
}
