using OnnxNas.Operators.Execution;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Adam (Kingma, Ba 2015, algorithm 1), weight decay added to the gradient.</summary>
public sealed class AdamOptimizer : Optimizer
{
    private const int First = 0;
    private const int Second = 1;
    private readonly double beta1;
    private readonly double beta2;
    private readonly Scalar decay1;
    private readonly Scalar decay2;
    private readonly Scalar fresh1;
    private readonly Scalar fresh2;
    private readonly Scalar epsilon;

    /// <summary>An optimizer.</summary>
    /// <param name="parameters">What is optimised.</param>
    /// <param name="learningRate">α of the paper.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="weightDecay">λ.</param>
    /// <param name="epsilon">ε, added to the root of the corrected second moment.</param>
    /// <param name="decays">Which parameters are decayed; all unless given.</param>
    public AdamOptimizer(IEnumerable<Parameter> parameters, double learningRate, double beta1 = 0.9, double beta2 = 0.999, double weightDecay = 0, double epsilon = 1e-8, Predicate<Parameter>? decays = null)
        : base(parameters, learningRate, weightDecay, decays, "first_moment", "second_moment")
    {
        (this.beta1, this.beta2) = (beta1, beta2);
        (decay1, decay2, fresh1, fresh2, this.epsilon) = (Scalars.Of(beta1), Scalars.Of(beta2), Scalars.Of(1 - beta1), Scalars.Of(1 - beta2), Scalars.Of(epsilon));
    }

    /// <inheritdoc/>
    protected override void BeginStep()
    {
    }

    /// <inheritdoc/>
    protected override void Update(int index, Parameter parameter, Tensor gradient)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var t = Steps[index];
        var m = State(index, First).mul_(decay1).add_(gradient, fresh1);
        var v = State(index, Second).mul_(decay2).addcmul_(gradient, gradient, fresh2);
        using var root = Scalars.Temporary(Math.Sqrt(1 - Math.Pow(beta2, t)));
        using var step = Scalars.Temporary(-LearningRate / (1 - Math.Pow(beta1, t)));
        parameter.addcdiv_(m, v.sqrt().div_(root).add_(epsilon, Scalars.One), step);
    }
}
