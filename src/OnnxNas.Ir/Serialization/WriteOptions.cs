namespace OnnxNas.Ir.Serialization;

/// <summary>How a model file is written.</summary>
public sealed record WriteOptions
{
    /// <summary>
    /// Whether initializers of 1 KiB or more go to a file beside the model, <c>NAME.onnx.data</c>. A model too large
    /// for one protobuf message (2 GiB) is written so in any case.
    /// </summary>
    public bool ExternalData { get; init; }

    // Room for everything that is no payload below protobuf's limit of 2 GiB. Tests set less.
    internal long InlineLimit { get; init; } = int.MaxValue - (64L << 20);
}
