namespace OnnxNas.Ir.Serialization;

/// <summary>Where a payload lies: a file beside the model, and a range of it.</summary>
internal readonly record struct ExternalPlace(string Location, long Offset, long Length);

/// <summary>Lays out the payloads that go to one file beside the model, in the order the model names them.</summary>
internal sealed class ExternalLayout(string location)
{
    // Whole pages, so that any reader can map each tensor by itself.
    private const int Alignment = 4096;
    private const int SmallestBytes = 1024;
    private readonly OrderedDictionary<TensorData, ExternalPlace> places = new(ReferenceEqualityComparer.Instance);
    private long end;

    public ExternalPlace? Find(TensorData tensor) => places.TryGetValue(tensor, out var place) ? place : null;

    /// <summary>Takes all large initializers, and every tensor that lies in a file of its own already.</summary>
    public void Take(Model model)
    {
        foreach (var (tensor, isInitializer) in ModelTensors.Of(model))
        {
            if (tensor.Storage == TensorStorage.External || isInitializer && tensor.Type != ElementType.String && ModelTensors.ByteCount(tensor) >= SmallestBytes)
                Take(tensor);
        }
    }

    /// <summary>Writes the payloads at their offsets.</summary>
    public void WriteTo(Stream stream)
    {
        var zeros = new byte[Alignment];
        foreach (var (tensor, place) in places)
        {
            stream.Write(zeros.AsSpan(0, (int)(place.Offset - stream.Position)));
            stream.Write(tensor.Bytes.Span);
        }
    }

    private void Take(TensorData tensor)
    {
        var offset = (end + Alignment - 1) / Alignment * Alignment;
        var length = ModelTensors.ByteCount(tensor);
        if (places.TryAdd(tensor, new(location, offset, length)))
            end = offset + length;
    }
}
