using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>A tensor in memory as an array of samples.</summary>
public sealed class TensorArray(string name, TensorData tensor) : SampleArray($"array '{name}'", tensor.Type, tensor.Dims)
{
    /// <inheritdoc/>
    protected override void ReadCore(long offset, Span<byte> destination) =>
        tensor.Bytes.Span.Slice((int)offset, destination.Length).CopyTo(destination);
}
