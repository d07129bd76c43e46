using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Training;
using TorchSharp;

namespace OnnxNas.Benchmarks;

/// <summary>Trains architectures of a marked model alone, on train and validation samples together, and scores them on the test samples by ONNX Runtime.</summary>
internal sealed class StandaloneTraining(MarkedModel marked, SearchData data)
{
    /// <summary>The test metric of an architecture trained alone.</summary>
    /// <param name="architecture">The architecture.</param>
    /// <param name="options">How it is trained.</param>
    /// <param name="epochs">For how long.</param>
    /// <param name="fresh">What its first weights are drawn from; null = those of the file.</param>
    public double Score(Architecture architecture, SearchOptions options, int epochs, SeededRandom? fresh = null)
    {
        var model = Pruner.Prune(marked.Model, architecture);
        if (fresh is not null)
            WeightInitialization.Reset(model, fresh);
        torch.manual_seed(options.Seed);
        new WinnerTrainer(options, data.Loss, data.Objective.NewMetric, new EpochCount(), torch.CPU, CancellationToken.None).Fit(model, data.Split.TrainAndValid, epochs);
        Pruner.Finish(model);
        return OnnxScore.Of(OnnxFile.ToBytes(model), data.Split.Test!, data.Objective, options.Threads).First().Value;
    }
}
