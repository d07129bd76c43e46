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
    private readonly Coefficient decay1;
    private readonly Coefficient decay2;
    private readonly Coefficient fresh1;
    private readonly Coefficient fresh2;
    private readonly Coefficient epsilon;

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
        (decay1, decay2, fresh1, fresh2, this.epsilon) = (new(beta1), new(beta2), new(1 - beta1), new(1 - beta2), new(epsilon));
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
        var m = State(index, First).mul_(decay1.Value).add_(gradient, fresh1.Value);
        var v = State(index, Second).mul_(decay2.Value).addcmul_(gradient, gradient, fresh2.Value);
        using var root = new Coefficient(Math.Sqrt(1 - Math.Pow(beta2, t)));
        using var step = new Coefficient(-LearningRate / (1 - Math.Pow(beta1, t)));
        parameter.addcdiv_(m, v.sqrt().div_(root.Value).add_(epsilon.Value), step.Value);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var coefficient in (Coefficient[])[decay1, decay2, fresh1, fresh2, epsilon])
            coefficient.Dispose();
    }
}
