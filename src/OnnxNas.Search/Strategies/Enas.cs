using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Data;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// ENAS (Pham et al. 2018): a controller draws architectures. Each step trains the weights of a drawn one on the training batch, then the controller by <see cref="Reinforce"/>: the reward
/// of a drawn architecture is its metric on the validation batch, with the batch's own statistics, since running ones are of many architectures. The winner is the best of a number of
/// drawn ones, each scored over all validation samples.
/// </summary>
[Strategy("enas", "sampling: an LSTM controller trained by REINFORCE")]
public sealed class Enas : SamplingTrainer, ICheckpointed, IStrategyDefaults
{
    // Draws for each architecture that is scored in the end; a controller that has made up its mind offers few different ones.
    private const int DrawsPerSample = 20;
    private readonly EnasController controller;
    private readonly AdamOptimizer optimizer;
    private readonly Reinforce reinforce;

    /// <summary>Prepares the search.</summary>
    public Enas(TrainingTask task) : base(task)
    {
        var options = Task.Options;
        controller = new(Task.Space, new SeededRandom(options.Seed, RandomStreams.InitialArchitecture));
        optimizer = new(controller.Parameters, options.ArchLr);
        reinforce = new(options.BaselineDecay, options.EntropyWeight);
    }

    /// <summary>The paper's learning rate of the controller, 0.00035.</summary>
    public static SearchOptions Defaults(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { ArchLr = 3.5e-4 };
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Optimizer> FurtherOptimizers => [optimizer];

    /// <inheritdoc/>
    protected override void Step(Optimizer weights, Batch train, Batch valid)
    {
        Path = controller.Sample(NextRandom()).Architecture;
        WeightStep(weights, train);
        if (Task.Epoch >= Task.Options.WarmupEpochs)
            StepController(valid);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<(Architecture Architecture, double Score)> Search(Func<Architecture, double> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var wanted = Task.Options.Samples ?? 50;
        score = Shown("samples", wanted, score);
        var random = new SeededRandom(Task.Options.Seed, RandomStreams.Strategy);
        var liveness = new Liveness(Task.Space);
        var drawn = new OrderedDictionary<Architecture, double>();
        for (var draw = 0; draw < DrawsPerSample * wanted && drawn.Count < wanted; draw++)
        {
            using var inner = NewDisposeScope();
            var architecture = liveness.Canonical(controller.Sample(random).Architecture);
            if (!drawn.ContainsKey(architecture) && Task.Budget.Allows(architecture))
                drawn[architecture] = score(architecture);
        }

        if (drawn.Count == 0)
        {
            foreach (var architecture in SomeAllowed())
                drawn[architecture] = score(architecture);
        }

        return [.. drawn.Select(d => (d.Key, d.Value)).OrderByDescending(d => d.Value)];
    }

    /// <inheritdoc/>
    void ICheckpointed.Save(CheckpointState state) => reinforce.Save(state);

    /// <inheritdoc/>
    void ICheckpointed.Restore(CheckpointState state) => reinforce.Restore(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!disposing)
            return;
        controller.Dispose();
        optimizer.Dispose();
    }

    private void StepController(Batch valid)
    {
        using var scope = NewDisposeScope();
        var samples = new List<(Tensor LogProbability, double Reward)>();
        for (var i = 0; i < Task.Options.ControllerSamples; i++)
        {
            var (architecture, logProbability) = controller.Sample(NextRandom());
            samples.Add((logProbability, RewardOf(architecture, valid)));
        }

        if (reinforce.Loss(samples) is { } loss)
            GradientStep.Apply(loss, optimizer, 0, Task.Options.Lr, Task.Position, PenaltyWeight);
    }

    private double RewardOf(Architecture architecture, Batch valid)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var buffers = FreezeBuffers();
        Path = architecture;
        Supernet.Module.Training = true;
        var metric = Task.Metric();
        metric.Add(Supernet.Forward(valid.Inputs)[0].ToTensorData(), valid.Label.ToTensorData());
        return Reward(architecture, metric.Value);
    }
}
