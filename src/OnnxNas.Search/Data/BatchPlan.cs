using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// Which samples make which batch. Every epoch has an order of its own that depends on the seed and the epoch's number alone, so
/// training can be taken up at any epoch without replaying those before.
/// </summary>
public sealed class BatchPlan
{
    private readonly int count;
    private readonly long seed;

    /// <summary>A plan for samples 0 … <paramref name="count"/> − 1.</summary>
    /// <param name="count">Number of samples.</param>
    /// <param name="batchSize">Samples per batch.</param>
    /// <param name="seed">Selects the orders.</param>
    /// <param name="dropLast">Whether a last batch of fewer samples is left out.</param>
    /// <exception cref="DataException">There would be no batch.</exception>
    public BatchPlan(int count, int batchSize, long seed, bool dropLast = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        this.count = count;
        this.seed = seed;
        BatchSize = batchSize;
        BatchesPerEpoch = dropLast ? count / batchSize : (int)(((long)count + batchSize - 1) / batchSize);
        if (BatchesPerEpoch == 0)
            throw new DataException($"{count} samples do not fill one batch of {batchSize}; use a smaller --batch-size or more data.");
    }

    /// <summary>Samples per batch; the last one may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>Number of batches.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>The samples in the order of an epoch, those a dropped last batch leaves out included.</summary>
    public int[] Order(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new SeededRandom(seed, RandomStreams.BatchOrder, epoch).Shuffle<int>(order);
        return order;
    }

    /// <summary>The batches of an epoch, each the indices of its samples.</summary>
    public IEnumerable<int[]> Batches(int epoch) => Order(epoch).Chunk(BatchSize).Take(BatchesPerEpoch);
}
