using System.Security.Cryptography;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Costs;

/// <summary>Measures every model once. A resumed search goes on with the times it began with: measured anew they would differ, and lead it elsewhere.</summary>
/// <param name="timer">Measures.</param>
public sealed class RememberingTimer(IModelTimer timer) : IModelTimer, ICheckpointed
{
    private readonly SortedDictionary<string, double> known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public double Milliseconds(byte[] model)
    {
        var key = Convert.ToHexStringLower(SHA256.HashData(model));
        return known.TryGetValue(key, out var time) ? time : known[key] = timer.Milliseconds(model);
    }

    /// <inheritdoc/>
    public void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (key, time) in known)
            state.Put(key, time);
    }

    /// <inheritdoc/>
    public void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var key in state.Names)
            known[key] = state.GetDouble(key);
    }
}
