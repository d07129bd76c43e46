namespace OnnxNas.Testing;

/// <summary>
/// Until disposed, a thread that collects garbage without end, so that finalizers run in the middle of whatever the others do. What is freed
/// too early then shows within seconds.
/// </summary>
public sealed class CollectionStorm : IDisposable
{
    // Closer together, collections leave the other threads no time to get anywhere.
    private const int Pause = 20_000;
    private readonly Thread thread;
    private volatile bool ended;

    /// <summary>Starts the thread.</summary>
    public CollectionStorm()
    {
        thread = new(Rage) { IsBackground = true };
        thread.Start();
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        ended = true;
        thread.Join();
    }

    private void Rage()
    {
        while (!ended)
        {
            GC.Collect(0);
            Thread.SpinWait(Pause);
        }
    }
}
