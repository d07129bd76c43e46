using OnnxNas.Ir;

namespace OnnxNas.Search.Objectives;

/// <summary>What turns scores into probabilities at the end of a model.</summary>
internal sealed record Activation
{
    /// <summary>Its name in messages, an operator's: <c>Softmax</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Whether probabilities of classes sum to 1 along an axis (Softmax), or each stands alone (Sigmoid).</summary>
    public required bool IsOfClasses { get; init; }

    /// <summary>Whether logarithms of the probabilities are what comes out.</summary>
    public bool IsLogarithm { get; init; }

    /// <summary>The axis of the activated value that classes lie along; null for a Sigmoid, and where they lie along no single axis.</summary>
    public int? Axis { get; init; }

    /// <summary>The value in front, in messages.</summary>
    public required string Front { get; init; }

    /// <summary>The value in front, in the axes of the activated value: nodes that move elements behind the activation are repeated on it.</summary>
    public required Func<Value> Build { get; init; }
}
