using OnnxNas.Search.Training;

namespace OnnxNas.Benchmarks;

/// <summary>Counts epochs, and prints nothing.</summary>
internal sealed class EpochCount : ITrainingProgress
{
    /// <summary>Epochs done.</summary>
    public int Epochs { get; private set; }

    public void Step(string phase, int step, int steps, double loss, double milliseconds)
    {
    }

    public void Epoch(EpochReport report) => Epochs++;
}
