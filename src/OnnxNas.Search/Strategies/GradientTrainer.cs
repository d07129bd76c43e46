using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// A search by gradient: a vector α a label, trained by Adam(0.5, 0.999) on validation batches, in turn with the weights on training batches
/// (Liu, Simonyan, Yang 2019, algorithm 1). A strategy says how a choice is mixed; it may replace either step. The winner is the arg-max, or the top n;
/// an InputChoice among LayerChoices is decided as a cell of DARTS: by the strength of its edges, none of which becomes zero (§2.4).
/// </summary>
public abstract class GradientTrainer : OneShotTrainer
{
    private readonly Lazy<CellDerivation> derivation;
    private readonly SearchOptions papers;

    /// <summary>Prepares the search.</summary>
    protected GradientTrainer(TrainingTask task) : base(task) =>
        (derivation, papers) = (new(() => new(Task.Space)), StrategyCatalog.DefaultsOf(GetType(), Task.Options));

    /// <summary>The optimizer of the weights, while <see cref="Fit"/> runs.</summary>
    protected internal SgdOptimizer Weights { get; internal set; } = null!;

    /// <summary>The optimizer of α, while <see cref="Fit"/> runs.</summary>
    protected internal Optimizer Alphas { get; internal set; } = null!;

    /// <summary>The epoch that is trained, counted from 0.</summary>
    protected int Epoch { get; private set; }

    /// <summary>The temperature of this epoch: linear from the first to the last value, which it reaches in the last epoch.</summary>
    protected double Temperature => Schedule.Linear(
        Task.Options.Temperature ?? papers.Temperature ?? 1, Task.Options.MinTemperature ?? papers.MinTemperature ?? 1, Epoch, Task.Options.Epochs);

    /// <inheritdoc/>
    public override void Fit()
    {
        var options = Task.Options;
        using var weights = Weights = options.NewWeightOptimizer(Supernet.Weights);
        using var alphas = Alphas = new AdamOptimizer(Supernet.ArchitectureParameters, options.ArchLr, 0.5, 0.999, options.ArchWeightDecay);
        foreach (var epoch in Epochs(weights, alphas))
        {
            Epoch = epoch;
            var lr = SetLearningRate(weights, epoch, options.Epochs);
            foreach (var (train, valid) in Task.Batches(epoch))
            {
                if (epoch >= options.WarmupEpochs)
                    StepArchitecture(train, valid);
                StepWeights(train);
            }

            Report(epoch, lr);
            EndEpoch(epoch);
        }
    }

    /// <inheritdoc/>
    public override Architecture Export() => Best(1)[0];

    /// <inheritdoc/>
    public override IReadOnlyList<Architecture> Finalists(int count) => Best(count);

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

    private IReadOnlyList<Architecture> Best(int count) => Task.Budget.Best(c => derivation.Value.Scores(c, Probabilities), count);

    /// <summary>One step of α. The training batch is there for strategies that look ahead.</summary>
    protected internal virtual void StepArchitecture(Batch train, Batch valid) => ArchitectureStep(Alphas, () => Penalised(LossOf(valid)));

    /// <summary>One step of the weights.</summary>
    protected internal virtual void StepWeights(Batch train) => WeightStep(Weights, train);

    /// <summary>Called when an epoch has been reported.</summary>
    protected virtual void EndEpoch(int epoch)
    {
    }

    /// <summary>α of a choice as a value of the graph: N(0, 1e-3²) at first, plus the logarithm of the marker's prior. In float32, or float64 as the model's output.</summary>
    protected Value Alpha(Choice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return Supernet.ArchitectureParameter(choice, () =>
        {
            var initial = InitialArchitecture(choice.Candidates.Count);
            if (choice is LayerChoice { LogPrior: { } prior })
                initial = [.. initial.Zip(prior, (a, p) => a + p)];
            return Numbers([initial.Length], initial);
        });
    }

    /// <summary>The element type of α: float32, or float64 as the model's output.</summary>
    protected ElementType ArchitectureType => Task.Space.Model.Graph.Outputs[0].Element == ElementType.Float64 ? ElementType.Float64 : ElementType.Float32;

    /// <summary>A constant of α's type.</summary>
    private protected TensorData Numbers(long[] dims, params double[] values) =>
        ArchitectureType == ElementType.Float64 ? TensorData.Create<double>(dims, values) : TensorData.Create<float>(dims, [.. values.Select(v => (float)v)]);

    /// <summary>α of a choice with noise that makes its order a sample: <see cref="Noise.For"/>.</summary>
    private protected Tensor Noisy(Choice choice, SeededRandom noise)
    {
        var drawn = Noise.For(choice, noise);
        return Supernet.ArchitectureTensor(choice).Plus(Numbers([drawn.Length], drawn).ToTorch(Task.Device));
    }

    /// <summary>p of a choice as a tensor that carries gradients to α: its softmax, or for any number of inputs the sigmoids.</summary>
    protected Tensor ProbabilityTensor(Choice choice) => ProbabilityOf(choice, Supernet.ArchitectureTensor(choice));

    /// <summary>The softmax of a choice's logits, or for any number of inputs their sigmoids.</summary>
    private protected static Tensor ProbabilityOf(Choice choice, Tensor logits) =>
        choice is InputChoice { ChosenCount: 0 } ? logits.sigmoid() : logits.softmax(0);

    /// <summary>Weights whose values are 1 for candidates that are on and 0 for others, divided by their sum for a mean, and whose gradient goes to p, or n·p where n inputs are chosen.</summary>
    private protected static IReadOnlyList<Tensor> StraightThrough(Choice choice, IEnumerable<Tensor> p, IEnumerable<bool> isOn)
    {
        var count = Math.Max(1, (choice as InputChoice)?.ChosenCount ?? 1);
        var gates = p.Zip(isOn, (q, on) => (q - q.detach()).Times(count).Plus(on ? 1.0 : 0.0)).ToList();
        if (choice is not InputChoice { Reduction: Reduction.Mean } mean)
            return gates;
        if (mean.ChosenCount > 0)
            return [.. gates.Select(g => g.DividedBy(count))];
        // Where any number may be chosen, one more makes all others count less.
        var open = gates.Aggregate((a, b) => a.Plus(b));
        return [.. gates.Select(g => g / open)];
    }

    /// <summary>A loss with the penalty for what the architecture is expected to cost, where the options ask for one.</summary>
    protected Tensor Penalised(Tensor loss) => Task.Penalty?.Apply(loss, ProbabilityTensor) ?? loss;

    /// <summary>What the likeliest architecture decides, whatever it costs.</summary>
    protected IReadOnlyList<int> Likeliest(Choice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return derivation.Value.Derive(Probabilities)[choice.Label];
    }

    /// <summary>Puts a module in place of every choice that runs what <paramref name="draw"/> says; α is kept beside the graph.</summary>
    /// <exception cref="ChoiceException">A choice cannot be weighted.</exception>
    protected void Sample(Func<Choice, Mixture> draw)
    {
        RequireMixable();
        Supernet.ReplaceLayerChoice(Module);
        Supernet.ReplaceInputChoice(Module);

        MixtureModule Module(Choice choice)
        {
            Alpha(choice);
            return new(choice, () => draw(choice));
        }
    }

    /// <summary>Refuses choices that cannot be mixed: among inputs that are concatenated, or of values that are no floats.</summary>
    /// <exception cref="ChoiceException">There is one.</exception>
    protected void RequireMixable()
    {
        foreach (var choice in Task.Space.Choices)
        {
            foreach (var marker in choice.Nodes)
            {
                if (choice is InputChoice { Reduction: Reduction.Concat })
                    throw new ChoiceException($"{marker} (label '{choice.Label}') concatenates its inputs; {Task.Options.Strategy} cannot mix those. Use a sampling strategy, or reduction sum or mean.");
                if (marker.Inputs.FirstOrDefault(i => i!.Element != ElementType.Undefined && !i.Element.IsFloatingPoint()) is { } discrete)
                    throw new ChoiceException($"{marker} (label '{choice.Label}') chooses among {discrete.Element} values; {Task.Options.Strategy} can mix floats only. Use a sampling strategy, or choose behind the cast to float.");
            }
        }
    }
}
