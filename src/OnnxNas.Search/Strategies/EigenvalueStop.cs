using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// The early stop of R-DARTS (Zela et al. 2020, §4.3): the largest eigenvalue of ∇²_α L_val, measured once an epoch, is smoothed over the k epochs around each. When the smoothed
/// value is more than a ratio times what it was k epochs before, the search is over, and the architecture of that earlier epoch, in the middle of its window, is the result. Only whole windows are
/// compared, so no search ends before 2k epochs. Eigenvalues that are not positive tell nothing of a rise.
/// </summary>
/// <param name="window">k.</param>
/// <param name="ratio">The most that the smoothed value may grow by.</param>
internal sealed class EigenvalueStop(int window, double ratio) : ICheckpointed
{
    private readonly List<double> eigenvalues = [];

    // Those of the last epochs, back to the middle of the earlier window.
    private readonly Queue<double[]> alphas = new();

    private int Kept => window + window / 2 + 1;

    /// <summary>Takes in an epoch; returns α to go back to where the search is over.</summary>
    public double[]? After(double eigenvalue, double[] alpha)
    {
        eigenvalues.Add(eigenvalue);
        alphas.Enqueue(alpha);
        if (alphas.Count > Kept)
            alphas.Dequeue();
        if (eigenvalues.Count < 2 * window)
            return null;
        var (now, before) = (eigenvalues.TakeLast(window).Average(), eigenvalues.SkipLast(window).TakeLast(window).Average());
        return before > 0 && now > ratio * before ? alphas.Peek() : null;
    }

    /// <inheritdoc/>
    public void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Put("eigenvalues", eigenvalues.ToArray());
        foreach (var (i, alpha) in alphas.Index())
            state.Put($"alpha/{i}", alpha);
    }

    /// <inheritdoc/>
    public void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        eigenvalues.Clear();
        eigenvalues.AddRange(state.GetDoubles("eigenvalues"));
        alphas.Clear();
        for (var i = 0; i < Math.Min(eigenvalues.Count, Kept); i++)
            alphas.Enqueue(state.GetDoubles($"alpha/{i}"));
    }
}
