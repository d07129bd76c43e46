namespace OnnxNas.Search.Training;

/// <summary>One epoch of a phase, as <c>history.csv</c> keeps it.</summary>
/// <param name="Phase"><c>search</c>, <c>finalist_1</c> and so on for architectures that are ranked, <c>retrain</c>, <c>baseline_1</c> and so on.</param>
/// <param name="Epoch">Counted from 1.</param>
/// <param name="TrainLoss">Mean loss of the epoch's training steps.</param>
/// <param name="ValidLoss">Loss on the validation samples at the epoch's end; null where they are trained on.</param>
/// <param name="Metric">The metric on the validation samples, or else on the training samples as they went by.</param>
/// <param name="Lr">The learning rate of the weights.</param>
/// <param name="Seconds">Wall-clock time of the epoch.</param>
public sealed record EpochReport(string Phase, int Epoch, double TrainLoss, double? ValidLoss, double Metric, double Lr, double Seconds);

/// <summary>Hears nothing.</summary>
public sealed class Silence : ITrainingProgress
{
    /// <inheritdoc/>
    public void Step(string phase, int step, int steps, double loss, double milliseconds)
    {
    }

    /// <inheritdoc/>
    public void Epoch(EpochReport report)
    {
    }
}

/// <summary>Hears how training goes on.</summary>
public interface ITrainingProgress
{
    /// <summary>A step is done.</summary>
    /// <param name="phase">As of <see cref="EpochReport"/>.</param>
    /// <param name="step">Steps done in this phase.</param>
    /// <param name="steps">Steps of the whole phase.</param>
    /// <param name="loss">Training loss of the step.</param>
    /// <param name="milliseconds">Wall-clock time of the step.</param>
    void Step(string phase, int step, int steps, double loss, double milliseconds);

    /// <summary>An epoch is done.</summary>
    void Epoch(EpochReport report);

    /// <summary>One of several architectures that are compared has its score.</summary>
    /// <param name="phase">What they are compared for: <c>evolution</c>, <c>samples</c> or <c>finalists</c>.</param>
    /// <param name="scored">How many have theirs.</param>
    /// <param name="most">How many there are at most.</param>
    void Scored(string phase, long scored, long most)
    {
    }

    /// <summary>A trainer has taken a decision that the user did not ask for epoch by epoch, and says which; one line.</summary>
    void Note(string text)
    {
    }
}
