namespace OnnxNas.Evaluation;

/// <summary>How ONNX Runtime runs a model.</summary>
public sealed record OnnxSessionOptions
{
    /// <summary>Threads within one operator; null for as many as ONNX Runtime finds best. Results are only comparable bit by bit at equal numbers.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether ONNX Runtime may rewrite the graph before it runs. Without, every operator is computed as written.</summary>
    public bool GraphOptimization { get; init; } = true;

    // Of more external data there is no second copy in memory: ONNX Runtime maps the files. Tests set less.
    internal long EmbeddedLimit { get; init; } = 256L << 20;
}
