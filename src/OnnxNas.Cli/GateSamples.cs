using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Cli;

/// <summary>A few samples of the user's data as the parity gate feeds them.</summary>
internal static class GateSamples
{
    private const int Count = 4;

    /// <summary>The first samples, as many as a graph with a fixed batch takes; the last one fills up where there are fewer.</summary>
    public static IReadOnlyDictionary<string, TensorData> Of(Dataset data, Graph graph)
    {
        var inputs = graph.Inputs.Where(i => i.Initializer is null).ToList();
        var batch = inputs.Select(i => i.Shape is { Rank: > 0 } shape ? shape[0].ValueOrNull : null).FirstOrDefault(extent => extent is not null) ?? Math.Min(Count, data.Count);
        int[] indices = [.. Enumerable.Range(0, (int)batch).Select(i => Math.Min(i, data.Count - 1))];
        return inputs.ToDictionary(i => i.Name, i => data.Batch(i.Name, indices, i.Element));
    }
}
