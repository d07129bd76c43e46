using OnnxNas.Ir;

namespace OnnxNas.Search.Metrics;

/// <summary>Which metrics go with which loss.</summary>
public static class MetricSet
{
    /// <summary>Fresh metrics for a loss by its name on the command line; the first is the one to judge by.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="form">What the predictions are.</param>
    /// <param name="classAxis">The axis of the predictions that classes lie along.</param>
    /// <exception cref="ChoiceException">The loss is unknown.</exception>
    public static IReadOnlyList<Metric> For(string loss, OutputForm form = OutputForm.Values, int classAxis = 1) => loss switch
    {
        "cross-entropy" when form == OutputForm.Classes => [new ChosenAccuracy()],
        "cross-entropy" => [new Accuracy(classAxis), new Top5(classAxis)],
        "bce-with-logits" => [new BinaryAccuracy(Threshold(form))],
        "mse" => [new MeanSquaredError(), new MeanAbsoluteError(), new RSquared()],
        "mae" => [new MeanAbsoluteError(), new MeanSquaredError(), new RSquared()],
        _ => throw new ChoiceException($"There is no loss '{loss}'; known are cross-entropy, bce-with-logits, mse and mae."),
    };

    private static double Threshold(OutputForm form) => form switch
    {
        OutputForm.Probabilities or OutputForm.Classes => 0.5,
        OutputForm.LogProbabilities => Math.Log(0.5),
        _ => 0,
    };

    /// <summary>The metric to judge by.</summary>
    /// <exception cref="ChoiceException">The loss is unknown.</exception>
    public static Metric Default(string loss) => For(loss)[0];
}
