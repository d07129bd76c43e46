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

/// <summary>All tensors of a model.</summary>
internal static class ModelTensors
{
    public static long ByteCount(TensorData tensor) =>
        tensor.Type == ElementType.String ? tensor.Strings.Sum(s => s.Length + 8L) : tensor.Type.ByteCount(tensor.ElementCount);

    public static IEnumerable<(TensorData Tensor, bool IsInitializer)> Of(Model model) =>
        Of(model.Graph).Concat(model.Functions.SelectMany(f => Of(f.Body).Concat(f.AttributeDefaults.SelectMany(Of))));

    private static IEnumerable<(TensorData Tensor, bool IsInitializer)> Of(Graph graph)
    {
        // The writer turns constants of a function body into nodes, but there is no reason to keep them in the model for that.
        foreach (var value in graph.Initializers)
            yield return (value.Initializer!, true);
        foreach (var sparse in graph.SparseInitializers.SelectMany(Parts))
            yield return (sparse, false);
        foreach (var inner in graph.Nodes.SelectMany(node => node.Attributes.Values).SelectMany(Of))
            yield return inner;
    }

    private static IEnumerable<(TensorData Tensor, bool IsInitializer)> Of(Attr attr) => attr switch
    {
        { RefAttrName: not null } => [],
        { Kind: AttrKind.Tensor } => [(attr.AsTensor(), false)],
        { Kind: AttrKind.Tensors } => attr.AsTensors().Select(t => (t, false)),
        { Kind: AttrKind.SparseTensor } => Parts(attr.AsSparseTensor()).Select(t => (t, false)),
        { Kind: AttrKind.SparseTensors } => attr.AsSparseTensors().SelectMany(Parts).Select(t => (t, false)),
        _ => attr.Graphs.SelectMany(Of),
    };

    private static IEnumerable<TensorData> Parts(SparseTensorData sparse)
    {
        if (sparse.Values is not null)
            yield return sparse.Values;
        if (sparse.Indices is not null)
            yield return sparse.Indices;
    }
}
