using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>
/// Runs a model over many samples in batches. A model whose batch axis is a fixed number gets batches of exactly that number;
/// the last one is filled up by repeating its last sample, and the surplus is cut off the outputs.
/// </summary>
public static class BatchScorer
{
    /// <summary>Runs samples 0 … <paramref name="count"/> − 1, in order.</summary>
    /// <param name="session">The model. The first axis of every input and output is the batch.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="batchSize">Samples per run, where the model leaves it free.</param>
    /// <param name="feeds">Gives the feeds for these sample indices; an index may occur more than once.</param>
    /// <param name="consume">Takes the outputs, cut to the samples in question, and which samples they are.</param>
    /// <param name="outputs">The outputs wanted, in order; null for all.</param>
    /// <exception cref="OnnxNasException">A feed does not fit, a run fails, or the model's batch cannot be told or cut.</exception>
    public static void Run(
        OnnxSession session,
        int count,
        int batchSize,
        Func<int[], IReadOnlyDictionary<string, TensorData>> feeds,
        Action<IReadOnlyList<TensorData>, Range> consume,
        IReadOnlyList<string>? outputs = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(feeds);
        ArgumentNullException.ThrowIfNull(consume);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        var fixedSize = FixedBatch(session);
        var step = fixedSize ?? batchSize;
        for (var start = 0; start < count; start += step)
        {
            var taken = Math.Min(step, count - start);
            var size = fixedSize ?? taken;
            var indices = new int[size];
            for (var i = 0; i < size; i++)
                indices[i] = start + Math.Min(i, taken - 1);
            var results = session.Run(feeds(indices), outputs);
            if (taken < size)
                results = [.. results.Select((tensor, i) => Cut(tensor, size, taken, outputs?[i] ?? session.Outputs[i].Name))];
            consume(results, start..(start + taken));
        }
    }

    /// <summary>The batch size the model is bound to, or null where the caller chooses it.</summary>
    /// <exception cref="ModelFormatException">Its inputs are bound to different ones.</exception>
    public static int? FixedBatch(OnnxSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        var sizes = session.Inputs.Where(i => i.Shape is { Rank: > 0 }).Select(i => i.Shape![0].ValueOrNull).OfType<long>().Distinct().ToArray();
        return sizes.Length switch
        {
            0 => null,
            1 when sizes[0] is > 0 and <= int.MaxValue => (int)sizes[0],
            _ => throw new ModelFormatException(
                $"The model's inputs have no common batch size ({string.Join(", ", session.Inputs)}); give every input the batch as first axis."),
        };
    }

    private static TensorData Cut(TensorData tensor, int size, int taken, string name)
    {
        if (tensor.Dims.Count == 0 || tensor.Dims[0] != size)
            throw new ModelFormatException($"Output '{name}' is {tensor} for a batch of {size}: its first axis is not the batch, so single samples cannot be told apart.");
        long[] dims = [taken, .. tensor.Dims.Skip(1)];
        return tensor.Type == ElementType.String
            ? TensorData.FromStrings(dims, [.. tensor.Strings.Take((int)(tensor.ElementCount / size * taken))])
            : TensorData.FromBytes(tensor.Type, dims, tensor.Bytes[..(int)((long)tensor.Bytes.Length / size * taken)]);
    }
}
