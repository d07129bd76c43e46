namespace OnnxNas.Evaluation.Isolation;

/// <summary>What one job may take before its worker is ended.</summary>
/// <param name="Time">Time on the clock.</param>
/// <param name="MemoryBytes">Memory of the whole worker that is in use at once.</param>
public sealed record WorkerLimits(TimeSpan Time, long MemoryBytes)
{
    // What the machine needs to stay usable.
    private const double ShareOfMachine = 0.9;

    /// <summary>Ten minutes, and nine tenths of the memory that this process may use.</summary>
    public static WorkerLimits Default => new(TimeSpan.FromMinutes(10), (long)(ShareOfMachine * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes));
}
