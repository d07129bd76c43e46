using OnnxNas.Ir;
using OnnxNas.Search.Metrics;

namespace OnnxNas.Search.Objectives;

/// <summary>How an output of a model comes about, walked back from its end: what decides on a class, what makes probabilities, and the scores in front.</summary>
public sealed record ModelEnd
{
    /// <summary>The output of the file.</summary>
    public required Value Output { get; init; }

    /// <summary>The value in front of what decides (ArgMax and the like); the output itself where nothing does.</summary>
    public required Value Scores { get; init; }

    /// <summary>What the numbers of the output are.</summary>
    public required OutputForm Form { get; init; }

    /// <summary>The operator that decides, which has no gradient: <c>ArgMax</c>; null where none does.</summary>
    public string? Decision { get; init; }

    /// <summary>The axis of <see cref="Scores"/> that classes lie along, where the end tells.</summary>
    public int? ClassAxis { get; init; }

    /// <summary>The axis of the output of which only the first number counts, as TopK lists the best first.</summary>
    public int? FirstAlong { get; init; }

    /// <summary>Why the output cannot be trained; null where it can.</summary>
    public string? Untrainable { get; init; }

    /// <summary>The operator that makes probabilities: <c>Softmax</c>; null where none does.</summary>
    public string? MadeBy => Activation?.Name;

    /// <summary>The value in front of it, in messages; of the choice where every candidate ends so.</summary>
    public string? Front => Activation?.Front;

    internal Activation? Activation { get; init; }

    /// <summary>Whether classes exclude each other: by a Softmax, an ArgMax or the like.</summary>
    internal bool IsOfClasses => Activation is { IsOfClasses: true } || ClassAxis is not null;

    /// <summary>The value that tells this end from others: two outputs of one front are two forms of one answer.</summary>
    internal object Source => (object?)Activation?.Front ?? Scores.Name;
}
