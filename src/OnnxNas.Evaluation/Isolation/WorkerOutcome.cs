namespace OnnxNas.Evaluation.Isolation;

/// <summary>How a job ended.</summary>
public enum WorkerEnd
{
    /// <summary>It replied.</summary>
    Done,

    /// <summary>It threw an exception; the worker lives.</summary>
    Failed,

    /// <summary>It took the worker with it.</summary>
    Crashed,

    /// <summary>It took longer, or more memory, than it may; the worker was ended.</summary>
    OverLimit,
}

/// <summary>The outcome of one job.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Reply">What it replied; empty unless it is done.</param>
/// <param name="Reason">Why it did not reply: the exception, the signal (<c>SIGFPE</c>), or the limit; empty where it did.</param>
public sealed record WorkerOutcome(WorkerEnd End, byte[] Reply, string Reason);
