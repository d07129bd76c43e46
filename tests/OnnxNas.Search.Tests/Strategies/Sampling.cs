using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>Small nets in float64 whose candidates can be read, and the statistics of what is drawn.</summary>
internal static class Sampling
{
    public static readonly Dim N = Dim.Symbol("N");

    /// <summary>The outputs: a choice "op" among a, b, c and d, then these four.</summary>
    public static Model Four()
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        Value[] candidates = [net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4)), net.Op("Sigmoid", net.Linear("c", x, 4, 4)), net.Op("Sin", net.Linear("d", x, 4, 4))];
        return net.Build([(net.LayerChoice("op", ["a", "b", "c", "d"], candidates), [N, 4]), .. candidates.Select(c => (c, (Dim[])[N, 4]))]);
    }

    /// <summary>The outputs: an InputChoice "in" among three, then these.</summary>
    public static Model Inputs(string reduction, long chosen)
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        Value[] inputs = [net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4)), net.Op("Sigmoid", net.Linear("c", x, 4, 4))];
        return net.Build([(net.InputChoice("in", chosen, reduction, inputs), [N, 4]), .. inputs.Select(c => (c, (Dim[])[N, 4]))]);
    }

    /// <summary>A choice "op" whose candidate k is the number k.</summary>
    public static Model Counter()
    {
        var net = new NetBuilder(1, ElementType.Float64);
        var zero = net.Op("Mul", net.Input("x", N, 4), net.Constant("zero", [], _ => 0));
        return net.Build((net.LayerChoice("op", null, [.. Enumerable.Range(0, 4).Select(k => net.Op("Add", zero, net.Constant($"n{k}", [], _ => k)))]), [N, 4]));
    }

    public static void Set(OneShotTrainer trainer, string label, params double[] alpha)
    {
        using var off = no_grad();
        trainer.Supernet.Module.Parameters[$"org.onnxnas.supernet/alpha/{label}"].copy_(tensor(alpha));
    }

    public static double[] Alpha(OneShotTrainer trainer, string label) => trainer.Supernet.ArchitectureValues(trainer.Task.Space[label]);

    public static double[] Softmax(params double[] logits) => [.. logits.Select(a => Math.Exp(a) / logits.Sum(Math.Exp))];

    /// <summary>The outputs of a run on fixed samples.</summary>
    public static Tensor[] Run(OneShotTrainer trainer, bool training = true)
    {
        trainer.Supernet.Module.Training = training;
        return [.. trainer.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = TestTensors.Normal(8, 5, 4).As(ElementType.Float64).ToTorch() })];
    }

    /// <summary>⟨∂L/∂y, o_k⟩ for the loss mean((y − t)²) of a batch, at the output y = outputs[0].</summary>
    public static double[] Slopes(Tensor[] outputs, Tensor target)
    {
        var g = (outputs[0] - target) * (2.0 / target.numel());
        return [.. outputs.Skip(1).Select(o => (g * o).sum().item<double>())];
    }

    /// <summary>What a sum or mean over some inputs is, where outputs[0] is the choice and the inputs follow.</summary>
    public static Tensor Joined(string reduction, IReadOnlyList<int> open, Tensor[] outputs)
    {
        var sum = open.Select(k => outputs[k + 1]).Aggregate((a, b) => a + b);
        return reduction == "mean" ? sum / (double)open.Count : sum;
    }

    /// <summary>∂L/∂z_k of gates z, by the slopes ⟨∂L/∂y, o_k⟩, where those of some inputs are 1 and all others 0: of y = Σ z·o, or of the mean Σ z·o / Σ z.</summary>
    public static double[] GateEffects(string reduction, IReadOnlyList<int> open, double[] slopes) =>
        [.. slopes.Select(s => reduction == "sum" ? s : (s - open.Average(k => slopes[k])) / open.Count)];

    public static double[] ToDoubles(this Tensor tensor) => tensor.ToTensorData().ToDoubles();

    /// <summary>Requires that counts may be drawn from probabilities: the χ² statistic is below the value that one in a thousand exceeds.</summary>
    public static void AreDrawnFrom(IReadOnlyList<double> probabilities, IReadOnlyList<int> counts)
    {
        var statistic = ChiSquare(probabilities, counts);
        Assert.IsLessThan(Critical(counts.Count - 1), statistic, $"{string.Join(' ', counts)} are not from {string.Join(' ', probabilities)}");
    }

    public static void AreNotDrawnFrom(IReadOnlyList<double> probabilities, IReadOnlyList<int> counts) =>
        Assert.IsGreaterThan(Critical(counts.Count - 1), ChiSquare(probabilities, counts));

    private static double ChiSquare(IReadOnlyList<double> probabilities, IReadOnlyList<int> counts)
    {
        Assert.AreEqual(1, probabilities.Sum(), 1e-9);
        var total = counts.Sum();
        return counts.Select((c, k) => Math.Pow(c - total * probabilities[k], 2) / (total * probabilities[k])).Sum();
    }

    // The 99.9th percentile of χ² by degrees of freedom.
    private static double Critical(int freedom) => freedom switch
    {
        1 => 10.828,
        2 => 13.816,
        3 => 16.266,
        4 => 18.467,
        5 => 20.515,
        7 => 24.322,
        11 => 31.264,
        _ => throw new ArgumentOutOfRangeException(nameof(freedom)),
    };
}
