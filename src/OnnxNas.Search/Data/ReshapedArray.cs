namespace OnnxNas.Search.Data;

/// <summary>The elements of an array in their order, with other extents of a sample.</summary>
internal sealed class ReshapedArray(SampleArray array, IReadOnlyList<long> sampleDims) : SampleArray(array.Description, array.Type, [array.Count, .. sampleDims])
{
    /// <inheritdoc/>
    protected override void ReadCore(long offset, Span<byte> destination) => array.Read(offset, destination);
}
