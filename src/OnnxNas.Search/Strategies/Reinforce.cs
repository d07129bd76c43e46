using OnnxNas.Search.Checkpoints;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// REINFORCE (Williams 1992) with a moving average b ← d·b + (1 − d)·R as baseline. The sample entropy −log π(a) is added to the reward with a weight, so that the mean of
/// the gradient is that of E[R] + weight·H(π), whatever b is.
/// </summary>
/// <param name="decay">d.</param>
/// <param name="entropyWeight">The weight of the entropy.</param>
internal sealed class Reinforce(double decay, double entropyWeight) : ICheckpointed
{
    /// <summary>b; NaN before the first reward.</summary>
    public double Baseline { get; private set; } = double.NaN;

    /// <summary>
    /// A loss whose gradient is the mean of −(R − b)·∇log π(a) over samples; then b takes in their rewards. The first samples have nothing to be compared with: they
    /// set b to their mean, and the loss is null.
    /// </summary>
    public Tensor? Loss(IReadOnlyList<(Tensor LogProbability, double Reward)> samples)
    {
        var rewards = samples.Select(s => s.Reward - entropyWeight * s.LogProbability.item<double>()).ToList();
        if (double.IsNaN(Baseline))
        {
            Baseline = rewards.Average();
            return null;
        }

        var advantages = tensor(rewards.Select(r => Baseline - r).ToArray());
        foreach (var reward in rewards)
            Baseline = decay * Baseline + (1 - decay) * reward;
        return (advantages * stack(samples.Select(s => s.LogProbability))).mean();
    }

    /// <inheritdoc/>
    public void Save(CheckpointState state) => state.Put("baseline", Baseline);

    /// <inheritdoc/>
    public void Restore(CheckpointState state) => Baseline = state.GetDouble("baseline");
}
