using OnnxNas.Ir;

namespace OnnxNas.Search.Metrics;

/// <summary>Which metrics go with which loss.</summary>
public static class MetricSet
{
    /// <summary>Fresh metrics for a loss by its name on the command line; the first is the one to judge by.</summary>
    /// <exception cref="ChoiceException">The loss is unknown.</exception>
    public static IReadOnlyList<Metric> For(string loss) => loss switch
    {
        "cross-entropy" => [new Accuracy(), new Top5()],
        "bce-with-logits" => [new BinaryAccuracy()],
        "mse" => [new MeanSquaredError(), new MeanAbsoluteError(), new RSquared()],
        "mae" => [new MeanAbsoluteError(), new MeanSquaredError(), new RSquared()],
        _ => throw new ChoiceException($"There is no loss '{loss}'; known are cross-entropy, bce-with-logits, mse and mae."),
    };

    /// <summary>The metric to judge by.</summary>
    /// <exception cref="ChoiceException">The loss is unknown.</exception>
    public static Metric Default(string loss) => For(loss)[0];
}
