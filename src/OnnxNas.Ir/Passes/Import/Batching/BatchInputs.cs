namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>The inputs of a graph that hold samples.</summary>
internal static class BatchInputs
{
    /// <summary>Inputs the caller must give that have axes: the first one is that of samples.</summary>
    public static IReadOnlyList<Value> Of(Graph graph) => [.. graph.Inputs.Where(i => i.Initializer is null && i.Shape is { Rank: > 0 })];

    /// <summary>The type of an input with a symbol for its first extent.</summary>
    public static OnnxType WithBatch(Value input, Dim batch) =>
        ((TensorType)input.Type!) with { Shape = new Shape([batch, .. input.Shape!.Skip(1)], input.Shape!.Denotations) };

    /// <summary>A name for the batch that no extent of the model has.</summary>
    public static string FreeSymbol(Graph graph)
    {
        var taken = graph.Values.Where(v => v.Shape is not null).SelectMany(v => v.Shape!).SelectMany(d => d.Symbols()).ToHashSet(StringComparer.Ordinal);
        return Enumerable.Range(0, int.MaxValue).Select(i => i == 0 ? "N" : $"N_{i}").First(n => !taken.Contains(n));
    }
}
