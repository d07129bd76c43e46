using OnnxNas.Operators.Execution;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Stochastic gradient descent with heavy-ball momentum: <c>v ← μ·v + (g + λ·w)</c>, <c>w ← w − η·v</c>.</summary>
public sealed class SgdOptimizer : Optimizer
{
    private const int Velocity = 0;
    private readonly Scalar momentum;
    private Scalar negativeRate;

    /// <summary>An optimizer.</summary>
    /// <param name="parameters">What is optimised.</param>
    /// <param name="learningRate">η.</param>
    /// <param name="momentum">μ; 0 = none.</param>
    /// <param name="weightDecay">λ.</param>
    /// <param name="decays">Which parameters are decayed; all unless given.</param>
    public SgdOptimizer(IEnumerable<Parameter> parameters, double learningRate, double momentum = 0, double weightDecay = 0, Predicate<Parameter>? decays = null)
        : base(parameters, learningRate, weightDecay, decays, momentum == 0 ? [] : ["velocity"])
    {
        Momentum = momentum;
        this.momentum = Scalars.Of(momentum);
        negativeRate = Scalars.Temporary(-learningRate);
    }

    /// <summary>μ.</summary>
    public double Momentum { get; }

    /// <summary>What a step would subtract, but for the learning rate: <c>μ·v + g + λ·w</c>. Nothing moves.</summary>
    /// <param name="gradients">One for each parameter; null gives null.</param>
    public Tensor?[] Direction(IReadOnlyList<Tensor?> gradients)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        using var off = no_grad();
        return [.. gradients.Select((g, i) => g is null ? null : Momentum == 0 ? Decayed(i, g) : Decayed(i, g).add(State(i, Velocity), momentum))];
    }

    /// <inheritdoc/>
    protected override void BeginStep()
    {
        negativeRate.Dispose();
        negativeRate = Scalars.Temporary(-LearningRate);
    }

    /// <inheritdoc/>
    protected override void Update(int index, Parameter parameter, Tensor gradient)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var direction = Momentum == 0 ? gradient : State(index, Velocity).mul_(momentum).add_(gradient, Scalars.One);
        parameter.add_(direction, negativeRate);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            negativeRate.Dispose();
    }
}
