using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>One optimizer step on its parameters and no others.</summary>
internal static class GradientStep
{
    /// <summary>
    /// Computes the gradient of a scalar loss with respect to the optimizer's parameters alone, clips it and steps. A parameter the loss does
    /// not depend on has a null gradient, so that neither momentum nor weight decay moves it. Returns the loss.
    /// </summary>
    /// <exception cref="TrainingException">The loss is not finite.</exception>
    public static double Apply(Tensor loss, Optimizer optimizer, double clip, double lr, string position, double penaltyWeight = 0)
    {
        var value = loss.to_type(ScalarType.Float64).item<double>();
        RequireFinite(value, lr, position, penaltyWeight);
        optimizer.Step(Clip(Of(loss, optimizer.Parameters), clip));
        return value;
    }

    /// <summary>The gradient of a scalar loss; null where it does not depend on the parameter.</summary>
    public static Tensor?[] Of(Tensor loss, IReadOnlyList<Parameter> parameters)
    {
        // Libtorch ends the process when asked for the gradient of nothing, or of what depends on nothing trained.
        if (parameters.Count == 0 || !loss.requires_grad)
            return new Tensor?[parameters.Count];
        return [.. autograd.grad([loss], [.. parameters], allow_unused: true).Select(g => g is { IsInvalid: false } ? g : null)];
    }

    /// <summary>Requires that a loss is a number. The message says what to lower: <paramref name="lr"/> of the weights, and the weight of a penalty where one is on.</summary>
    /// <exception cref="TrainingException">It is not.</exception>
    public static void RequireFinite(double loss, double lr, string position, double penaltyWeight = 0)
    {
        if (!double.IsFinite(loss))
        {
            var penalty = penaltyWeight > 0 ? FormattableString.Invariant($"a lower --penalty-weight (now {penaltyWeight}), ") : "";
            throw new TrainingException(FormattableString.Invariant(
                $"The loss became {loss} at {position}. Try a lower --lr (now {lr}), {penalty}a lower --grad-clip, or inputs scaled to about 0..1."));
        }
    }

    /// <summary>Scales gradients to a norm of <paramref name="limit"/> where theirs is larger; 0 = no limit.</summary>
    public static Tensor?[] Clip(Tensor?[] gradients, double limit)
    {
        using var off = no_grad();
        if (limit == 0 || Norm(gradients) is var norm && norm <= limit)
            return gradients;
        // Two parameters may have one tensor as gradient, so none is scaled in place.
        using var factor = Scalars.Temporary(limit / (norm + 1e-6));
        return [.. gradients.Select(g => g?.mul(factor))];
    }

    /// <summary>The Euclidean norm of all gradients together.</summary>
    public static double Norm(IEnumerable<Tensor?> gradients)
    {
        using var scope = NewDisposeScope();
        var norms = gradients.Where(g => g is not null).Select(g => g!.norm().to_type(ScalarType.Float64).cpu()).ToList();
        return norms.Count == 0 ? 0 : stack(norms).norm().item<double>();
    }
}
