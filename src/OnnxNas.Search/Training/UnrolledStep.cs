using OnnxNas.Operators.Execution;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>
/// The second-order gradient of DARTS (Liu, Simonyan, Yang 2019, eq. 6-8): with w' = w − ξ(μ·m + ∇L_train(w,α) + λ·w), that of L_val(w',α) is
/// ∇_α L_val(w',α) − ξ·∇²_{αw} L_train(w,α)·v, v = ∇_{w'} L_val(w',α). The product is a central difference at w with ε = 0.01/‖v‖. The weights come back bit for bit.
/// </summary>
internal sealed class UnrolledStep(IReadOnlyList<Parameter> alphas, SgdOptimizer weights)
{
    private const double Radius = 0.01;

    /// <summary>The gradient for α; null where nothing depends on it.</summary>
    /// <param name="trainLoss">L_train at the weights as they are, the same function at every call.</param>
    /// <param name="validLoss">L_val at the weights as they are.</param>
    public Tensor?[] Gradient(Func<Tensor> trainLoss, Func<Tensor> validLoss)
    {
        var w = weights.Parameters;
        using var saved = new SavedWeights(w);
        Move(saved, weights.Direction(GradientStep.Of(trainLoss(), w)), -weights.LearningRate);
        var both = GradientStep.Of(validLoss(), [.. alphas, .. w]);
        Tensor?[] direct = both[..alphas.Count], v = both[alphas.Count..];
        var length = GradientStep.Norm(v);
        if (length == 0)
            return direct;
        var epsilon = Radius / length;
        Move(saved, v, epsilon);
        var plus = GradientStep.Of(trainLoss(), alphas);
        Move(saved, v, -epsilon);
        var minus = GradientStep.Of(trainLoss(), alphas);
        using var off = no_grad();
        using var factor = Scalars.Temporary(-weights.LearningRate / (2 * epsilon));
        return [.. direct.Select((d, i) => plus[i] is { } p && minus[i] is { } m ? Sum(d, (p - m).mul(factor)) : d)];
    }

    private static Tensor Sum(Tensor? a, Tensor b) => a is null ? b : a.Plus(b);

    // w + length · direction, from the saved w.
    private void Move(SavedWeights saved, Tensor?[] direction, double length)
    {
        using var off = no_grad();
        using var factor = Scalars.Temporary(length);
        saved.Restore();
        for (var i = 0; i < direction.Length; i++)
        {
            if (direction[i] is { } d)
                weights.Parameters[i].add_(d, factor);
        }
    }

    private sealed class SavedWeights : IDisposable
    {
        private readonly IReadOnlyList<Parameter> parameters;
        private readonly Tensor[] copies;

        public SavedWeights(IReadOnlyList<Parameter> parameters)
        {
            this.parameters = parameters;
            using var off = no_grad();
            copies = [.. parameters.Select(p => p.clone())];
        }

        public void Restore()
        {
            using var off = no_grad();
            for (var i = 0; i < copies.Length; i++)
                parameters[i].copy_(copies[i]);
        }

        public void Dispose()
        {
            Restore();
            foreach (var copy in copies)
                copy.Dispose();
        }
    }
}
