namespace OnnxNas.Evaluation.Isolation;

/// <summary>
/// Does jobs in a worker process, so that a job that ends its process costs its own result only. One worker serves as long as it lives; a new one is started
/// after it. Not safe for use from several threads.
/// </summary>
/// <param name="program">What is started.</param>
/// <param name="limits">What each job may take.</param>
public sealed class IsolatedJobs(WorkerProgram program, WorkerLimits limits) : IDisposable
{
    // A worker that has kept so much of what it may take is replaced, so that no job is blamed for those before it.
    private const int KeptShare = 2;
    private Worker? worker;

    /// <summary>Does one job; waits for its outcome.</summary>
    /// <param name="job">The name of the job.</param>
    /// <param name="payload">What the job is given.</param>
    /// <param name="cancellation">Ends the worker.</param>
    /// <exception cref="WorkerException">No worker can be started.</exception>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    public WorkerOutcome Run(string job, ReadOnlyMemory<byte> payload, CancellationToken cancellation = default)
    {
        try
        {
            var isFresh = worker is null;
            worker ??= new(program, cancellation);
            var outcome = worker.Run(job, payload, limits, cancellation);
            if (outcome.End == WorkerEnd.Crashed && !isFresh)
            {
                // An earlier job may have damaged the process: this one counts as the cause only where it ends a new one too.
                Stop();
                worker = new(program, cancellation);
                outcome = worker.Run(job, payload, limits, cancellation);
            }

            if (outcome.End is WorkerEnd.Crashed or WorkerEnd.OverLimit || worker.MemoryBytes > limits.MemoryBytes / KeptShare)
                Stop();
            return outcome;
        }
        catch (OperationCanceledException)
        {
            Stop();
            throw;
        }
    }

    /// <summary>Ends the workers of all instances: for a process that is about to end without disposing anything.</summary>
    public static void EndAll() => Worker.EndAll();

    /// <summary>Ends the worker.</summary>
    public void Dispose() => Stop();

    private void Stop()
    {
        worker?.Dispose();
        worker = null;
    }
}
