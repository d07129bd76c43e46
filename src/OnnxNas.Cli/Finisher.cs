using OnnxNas.Cli.Reports;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Cli;

/// <summary>Cuts architectures out of the trained supernet and trains them on, the winner and those it is compared with all the same way.</summary>
internal sealed class Finisher(MarkedModel marked, SearchData data, SearchOptions options, SearchProgress progress, Device device, Checkpointer checkpointer, CancellationToken cancellation)
{
    private const string Phase = "retrain";
    private readonly string metric = data.Objective.NewMetric().Name;

    /// <summary>The winner, and its score on the validation samples before it is trained on.</summary>
    public (Model Model, double InheritedValid) Winner(Architecture architecture)
    {
        var model = Cut(architecture);
        var inherited = Score(Written(model), data.Split.Valid);
        progress.Show(Phase, () => Train(model, Phase));
        return (model, inherited);
    }

    /// <summary>Architectures to compare the winner with. One that diverges has no scores: it must not cost the winner.</summary>
    public IReadOnlyList<BaselineScore> Baseline(IReadOnlyList<Architecture> architectures, ModelCost costs) =>
        [.. architectures.Select((architecture, i) =>
        {
            var (model, cost) = (Cut(architecture), costs.Of(architecture));
            var score = new BaselineScore(architecture.ToNames(), null, null, cost.Parameters, cost.Macs);
            try
            {
                Train(model, $"baseline_{i + 1}");
                var bytes = Written(model);
                return score with { Valid = Score(bytes, data.Split.Valid), Test = data.Split.Test is { } test ? Score(bytes, test) : null };
            }
            catch (OnnxNasException e)
            {
                progress.Note($"baseline_{i + 1} {(e is TrainingException ? "diverged" : "failed")}: {e.Message}");
                return score;
            }
        })];

    /// <summary>Gives a supernet the weights of an architecture that was cut out of it, by name, so that both can be compared.</summary>
    public static void TakeWeights(Graph supernet, Graph winner)
    {
        foreach (var value in winner.Initializers)
        {
            if (supernet.Find(value.Name) is { Initializer: not null } same)
                supernet.SetInitializer(same, value.Initializer!);
        }
    }

    /// <summary>The bytes of a plain model as it is written: a copy in inference form.</summary>
    /// <param name="model">The model.</param>
    /// <param name="extents">The extents that its inputs are declared with, in place of its own.</param>
    public static byte[] Written(Model model, InputExtents? extents = null)
    {
        var plain = model.Clone();
        Pruner.Finish(plain);
        Pruner.RequirePlain(plain);
        extents?.Declare(plain.Graph);
        return OnnxFile.ToWholeBytes(plain);
    }

    private Model Cut(Architecture architecture)
    {
        var model = Pruner.Prune(marked.Model, architecture);
        BatchNormRecalibration.Run(model, new BatchLoader(data.Split.Train, model.Graph, data.Loss, options.BatchSize, options.Seed, device), device);
        return model;
    }

    private void Train(Model model, string phase)
    {
        if (options.EffectiveRetrainEpochs() == 0)
            return;
        if (options.Init == "scratch")
            WeightInitialization.Reset(model, options.Seed);
        new WinnerTrainer(options, data.Loss, data.Objective.NewMetric, progress, device, cancellation, checkpointer)
            .Fit(model, data.Split.TrainAndValid, options.EffectiveRetrainEpochs(), phase);
    }

    private double Score(byte[] bytes, Search.Data.Dataset samples) => OnnxScore.Of(bytes, samples, data.Objective, options.Threads)[metric];
}
