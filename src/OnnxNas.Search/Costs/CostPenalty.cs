using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using static TorchSharp.torch;

namespace OnnxNas.Search.Costs;

/// <summary>How a cost joins a loss or a reward.</summary>
public enum PenaltyForm
{
    /// <summary>loss + s·n; reward − s·n.</summary>
    Add,

    /// <summary>loss · (1+n)^s; reward · (1+n)^−s.</summary>
    Multiply,
}

/// <summary>What of the relative excess x = cost/target − 1 counts.</summary>
public enum PenaltyShape
{
    /// <summary>x: cheaper is always better.</summary>
    Linear,

    /// <summary>max(0, x): only what is above the target.</summary>
    Positive,

    /// <summary>min(0, x): only what is saved below the target, as a bonus.</summary>
    Negative,

    /// <summary>|x|: being off the target on either side.</summary>
    Absolute,
}

/// <summary>
/// Draws a search towards a cost: n = f(cost/target − 1) is added to a loss with a weight s, or multiplied to it as (1+n)^s. With gradients the cost is the
/// supernet's <see cref="ExpectedCost"/>; for a sampled architecture it is its own.
/// </summary>
public sealed class CostPenalty
{
    // 1 + n may reach 0, which has no slope for a power below 1 and no inverse.
    private const double Least = 1e-6;
    private readonly ExpectedCost expected;

    /// <summary>A penalty on a cost.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The target or the weight is not positive.</exception>
    public CostPenalty(CostTable table, double target, double weight, PenaltyForm form = PenaltyForm.Add, PenaltyShape shape = PenaltyShape.Linear)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(target);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight);
        (Table, Target, Weight, Form, Shape) = (table, target, weight, form, shape);
        expected = new(table);
    }

    /// <summary>What each architecture costs.</summary>
    public CostTable Table { get; }

    /// <summary>The cost that counts as 1.</summary>
    public double Target { get; }

    /// <summary>s.</summary>
    public double Weight { get; }

    /// <summary>How the cost joins.</summary>
    public PenaltyForm Form { get; }

    /// <summary>What of the cost counts.</summary>
    public PenaltyShape Shape { get; }

    /// <summary>
    /// The penalised loss. Its gradient reaches what the probabilities come from; the loss's own is kept (and scaled by the multiply form).
    /// </summary>
    /// <param name="loss">A scalar.</param>
    /// <param name="probabilities">As <see cref="ExpectedCost.Of"/> takes them.</param>
    public Tensor Apply(Tensor loss, Func<Choice, Tensor> probabilities)
    {
        ArgumentNullException.ThrowIfNull(loss);
        using var scope = NewDisposeScope();
        var cost = expected.Of(probabilities);
        var one = Number(1);
        var x = cost / Number(Target) - one;
        var n = Shape switch
        {
            PenaltyShape.Positive => x.relu(),
            PenaltyShape.Negative => x - x.relu(),
            PenaltyShape.Absolute => x.abs(),
            _ => x,
        };
        var weight = Number(Weight);
        var penalised = Form == PenaltyForm.Add
            ? loss.Plus(n * weight)
            : loss * maximum(one.Plus(n), Number(Least)).pow(weight);
        return penalised.MoveToOuterDisposeScope();

        Tensor Number(double value) => tensor(value, cost.dtype, cost.device);
    }

    /// <summary>
    /// The reward of a sampled architecture, where higher is better. With <see cref="PenaltyForm.Multiply"/> and <see cref="PenaltyShape.Linear"/> it is
    /// reward·(cost/target)^−s (MnasNet, Tan et al. 2019, eq. 2, with w = −s). A negative reward is divided by that factor, so that a higher cost never raises it.
    /// </summary>
    public double ShapeReward(double reward, Architecture architecture)
    {
        var x = Table.Of(architecture) / Target - 1;
        var n = Shape switch
        {
            PenaltyShape.Positive => Math.Max(0, x),
            PenaltyShape.Negative => Math.Min(0, x),
            PenaltyShape.Absolute => Math.Abs(x),
            _ => x,
        };
        if (Form == PenaltyForm.Add)
            return reward - Weight * n;
        var factor = Math.Pow(Math.Max(Least, 1 + n), -Weight);
        return reward >= 0 ? reward * factor : reward / factor;
    }
}
