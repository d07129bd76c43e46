namespace OnnxNas.Ir.Serialization;

/// <summary>All tensors of a model.</summary>
internal static class ModelTensors
{
    /// <summary>Bytes a payload takes, outside typed fields.</summary>
    public static long ByteCount(TensorData tensor) =>
        tensor.Type == ElementType.String ? tensor.Strings.Sum(s => s.Length + 8L) : tensor.Type.ByteCount(tensor.ElementCount);

    /// <summary>The tensors, and which of them any reader takes from a file of their own. (A function has no initializers; what a pass left in its body is written as nodes.)</summary>
    public static IEnumerable<(TensorData Tensor, bool IsInitializer)> Of(Model model)
    {
        var inFunctions = model.Functions.SelectMany(f => Of(f.Body).Concat(f.AttributeDefaults.SelectMany(Of)));
        return Of(model.Graph).Concat(inFunctions.Select(t => (t.Tensor, false)));
    }

    private static IEnumerable<(TensorData Tensor, bool IsInitializer)> Of(Graph graph)
    {
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
