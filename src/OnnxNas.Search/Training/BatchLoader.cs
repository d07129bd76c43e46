using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Data;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Turns samples of a data set into batches of tensors, in the element types the model takes.</summary>
public sealed class BatchLoader
{
    private readonly Dataset data;
    private readonly BatchPlan plan;
    private readonly IReadOnlyList<(string Name, ElementType Type)> inputs;
    private readonly ElementType labelType;
    private readonly Device device;
    private readonly bool hasFixedBatch;

    /// <summary>A loader.</summary>
    /// <param name="data">The samples.</param>
    /// <param name="graph">The graph whose inputs are fed.</param>
    /// <param name="loss">Decides the type of labels.</param>
    /// <param name="batchSize">Samples a batch. Training drops an incomplete last batch, unless it is the only one.</param>
    /// <param name="seed">Determines the order of each epoch.</param>
    /// <param name="device">Where tensors go.</param>
    public BatchLoader(Dataset data, Graph graph, Loss loss, int batchSize, int seed, Device device)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(loss);
        this.data = data;
        this.device = device;
        plan = new(data.Count, Math.Min(batchSize, data.Count), seed, dropLast: true);
        inputs = [.. graph.Inputs.Where(i => i.Initializer is null).Select(i => (i.Name, i.Element))];
        hasFixedBatch = graph.Inputs.Any(i => i.Initializer is null && i.Shape is { Rank: > 0 } shape && shape[0].IsKnown);
        labelType = loss.LabelType;
    }

    /// <summary>Batches of one epoch.</summary>
    public int Count => plan.BatchesPerEpoch;

    /// <summary>The shuffled batches of an epoch; the same epoch gives the same batches.</summary>
    public IEnumerable<int[]> Shuffled(int epoch) => plan.Batches(epoch);

    /// <summary>
    /// All samples in order. The last batch may hold fewer; where the model takes one size of batch only, its last sample is then repeated to fill it.
    /// </summary>
    /// <returns>The samples of each batch, and how many of them count.</returns>
    public IEnumerable<(int[] Indices, int Count)> InOrder() =>
        from batch in Enumerable.Range(0, data.Count).Chunk(plan.BatchSize)
        let missing = hasFixedBatch ? plan.BatchSize - batch.Length : 0
        select (batch.Concat(Enumerable.Repeat(batch[^1], missing)).ToArray(), batch.Length);

    /// <summary>The tensors of some samples.</summary>
    public Batch Load(int[] indices) => new(
        inputs.ToDictionary(i => i.Name, i => data.Batch(i.Name, indices, i.Type).ToTorch(device)),
        data.Labels(indices, labelType).ToTorch(device), indices.Length);
}
