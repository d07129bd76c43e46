using System.Globalization;
using OnnxNas.Ir;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>One optimizer step on some parameters and no others.</summary>
internal static class GradientStep
{
    /// <summary>
    /// Computes the gradient of a scalar loss with respect to <paramref name="parameters"/> alone, clips it and steps. A parameter the loss does
    /// not depend on keeps a null gradient, so that neither momentum nor weight decay moves it. Returns the loss.
    /// </summary>
    /// <exception cref="TrainingException">The loss is not finite.</exception>
    public static double Apply(Tensor loss, optim.Optimizer optimizer, IReadOnlyList<Parameter> parameters, double clip, double lr, string position)
    {
        var value = loss.to_type(ScalarType.Float64).item<double>();
        RequireFinite(value, lr, position);
        // Libtorch ends the process when asked for the gradient of nothing, or of what depends on nothing trained.
        if (parameters.Count == 0 || !loss.requires_grad)
            return value;
        var gradients = autograd.grad([loss], [.. parameters], allow_unused: true);
        for (var i = 0; i < parameters.Count; i++)
            parameters[i].grad = gradients[i] is { IsInvalid: false } gradient ? gradient : null;
        if (clip > 0)
            Clip(parameters, clip);
        optimizer.step();
        foreach (var parameter in parameters)
            parameter.grad = null;
        return value;
    }

    /// <summary>Requires that a loss is a number.</summary>
    /// <exception cref="TrainingException">It is not.</exception>
    public static void RequireFinite(double loss, double lr, string position)
    {
        if (!double.IsFinite(loss))
        {
            throw new TrainingException(
                $"The loss became {loss.ToString(CultureInfo.InvariantCulture)} at {position}. Try a lower --lr (now {lr.ToString(CultureInfo.InvariantCulture)}), " +
                "a lower --grad-clip, or inputs scaled to about 0..1.");
        }
    }

    private static void Clip(IReadOnlyList<Parameter> parameters, double limit)
    {
        using var off = no_grad();
        var squares = zeros(1, ScalarType.Float64);
        foreach (var parameter in parameters)
        {
            if (parameter.grad is { } gradient)
                squares += gradient.to_type(ScalarType.Float64).square().sum().cpu();
        }

        var norm = Math.Sqrt(squares.item<double>());
        if (norm <= limit)
            return;
        var factor = (limit / (norm + 1e-6)).ToScalar();
        foreach (var parameter in parameters)
            parameter.grad?.mul_(factor);
    }
}
