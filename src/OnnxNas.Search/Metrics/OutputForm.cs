namespace OnnxNas.Search.Metrics;

/// <summary>What the numbers of a model's output are.</summary>
public enum OutputForm
{
    /// <summary>Numbers as they are: logits, or values to be predicted.</summary>
    Values,

    /// <summary>Probabilities, as Softmax and Sigmoid make them.</summary>
    Probabilities,

    /// <summary>Logarithms of probabilities, as LogSoftmax makes them.</summary>
    LogProbabilities,

    /// <summary>Numbers of classes, as ArgMax makes them, or 0 and 1.</summary>
    Classes,
}
