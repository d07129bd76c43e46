using OnnxNas.Evaluation;
using OnnxNas.Search.Costs;

namespace OnnxNas.Cli;

/// <summary>Latency as ONNX Runtime has it, for a search that knows of no runtime.</summary>
internal sealed class OnnxTimer(ModelTimer timer) : IModelTimer
{
    /// <summary>With these threads, measurements kept in the user's cache.</summary>
    public OnnxTimer(int threads) : this(new ModelTimer(threads, LatencyCache.ForUser()))
    {
    }

    public double Milliseconds(byte[] model) => timer.Measure(model).Median;
}
