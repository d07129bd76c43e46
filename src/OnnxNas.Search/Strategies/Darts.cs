using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// DARTS, first order (Liu, Simonyan, Yang 2019, ξ = 0): every choice is the mix of its candidates by softmax(α); α follows the validation
/// loss, the weights the training loss, in turn. An InputChoice is n·Σ p·x for sum and Σ p·x for mean; any number of inputs
/// (n_chosen = 0) is gated by sigmoids, one an input. α starts at N(0, 1e-3²), plus the logarithm of a marker's prior. The winner is the arg-max, or the top n.
/// </summary>
[Strategy("darts", "differentiable, first order: mixed ops, alternating steps")]
public sealed class Darts : OneShotTrainer
{
    private const double InitialSpread = 1e-3;

    // A prior of 0 must stay finite as a logit.
    private const double LeastPrior = 1e-6;
    private readonly SeededRandom random;

    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">A choice has no relaxation: an InputChoice that concatenates, or a choice among integers.</exception>
    public Darts(TrainingTask task) : base(task)
    {
        random = new(task.Options.Seed, 1);
        Supernet.ReplaceLayerChoice((choice, marker) => Mix(choice, marker, Softmax(choice, marker)));
        Supernet.ReplaceInputChoice(Relax);
    }

    /// <inheritdoc/>
    public override void Fit()
    {
        var options = Task.Options;
        using var weights = optim.SGD(Supernet.Weights, options.Lr, options.Momentum, weight_decay: options.WeightDecay);
        using var alphas = optim.Adam(Supernet.ArchitectureParameters, options.ArchLr, 0.5, 0.999, weight_decay: options.ArchWeightDecay);
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            var lr = SetLearningRate(weights, epoch, options.Epochs);
            foreach (var (train, valid) in Task.Batches(epoch))
            {
                ArchitectureStep(alphas, valid);
                WeightStep(weights, train);
            }

            Report(epoch, lr);
        }
    }

    /// <inheritdoc/>
    public override Architecture Export() => Architecture.FromScores(Task.Space, Probabilities);

    /// <inheritdoc/>
    public override IReadOnlyList<double> Probabilities(Choice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        var alpha = Supernet.ArchitectureValues(choice);
        if (choice is InputChoice { ChosenCount: 0 })
            return [.. alpha.Select(a => 1 / (1 + Math.Exp(-a)))];
        var powers = alpha.Select(a => Math.Exp(a - alpha.Max())).ToArray();
        return [.. powers.Select(e => e / powers.Sum())];
    }

    private Value Relax(InputChoice choice, Node marker)
    {
        var graph = marker.Graph;
        if (choice.Reduction == Reduction.Concat)
            throw new ChoiceException($"{marker} (label '{choice.Label}') concatenates its inputs; darts cannot mix those. Use a sampling strategy, or reduction sum or mean.");
        if (choice.ChosenCount == 0)
        {
            var gates = graph.Call("Sigmoid", [Alpha(choice)], $"{marker.Output.Name}/gates", before: marker);
            var count = graph.Call("ReduceSum", [gates], $"{marker.Output.Name}/count", attributes: [Attr.Of("keepdims", 1L)], before: marker);
            return Mix(choice, marker, choice.Reduction == Reduction.Sum ? gates : graph.Call("Div", [gates, count], before: marker));
        }

        var weights = Softmax(choice, marker);
        if (choice.Reduction == Reduction.Sum && choice.ChosenCount > 1)
            weights = graph.Call("Mul", [weights, graph.AddConstant($"{marker.Output.Name}/n", TensorData.Scalar((float)choice.ChosenCount))], before: marker);
        return Mix(choice, marker, weights);
    }

    private Value Softmax(Choice choice, Node marker) =>
        marker.Graph.Call("Softmax", [Alpha(choice)], $"{marker.Output.Name}/weights", attributes: [Attr.Of("axis", 0L)], before: marker);

    private static Value Mix(Choice choice, Node marker, Value weights)
    {
        if (marker.Inputs.FirstOrDefault(i => i!.Element != ElementType.Undefined && !i.Element.IsFloatingPoint()) is { } discrete)
            throw new ChoiceException($"{marker} (label '{choice.Label}') chooses among {discrete.Element} values; darts can mix floats only. Use a sampling strategy, or choose behind the cast to float.");
        return marker.Graph.Call(MixOperator.Name, [weights, .. marker.Inputs], $"{marker.Output.Name}/mix", SupernetOperators.Domain, before: marker);
    }

    private Value Alpha(Choice choice) => Supernet.ArchitectureParameter(choice, () =>
    {
        var initial = new float[choice.Candidates.Count];
        var prior = (choice as LayerChoice)?.Prior;
        for (var k = 0; k < initial.Length; k++)
            initial[k] = (float)(InitialSpread * random.NextGaussian() + (prior is null ? 0 : Math.Log(Math.Max(prior[k], LeastPrior))));
        return TensorData.Vector<float>(initial);
    });
}
