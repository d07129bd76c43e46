using System.Runtime.InteropServices;
using OnnxNas.Evaluation.Isolation;

namespace OnnxNas.Cli;

/// <summary>
/// Turns Ctrl-C and SIGTERM into a cancellation, so that a command can clean up. A second one ends the process, and so does the first while
/// there is nothing to clean up.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // Standard error may be a pipe that nobody reads.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;
    private readonly TextWriter error;
    private int immediate;

    /// <summary>Listens from now on; <paramref name="error"/> gets the last line of a command that is ended.</summary>
    public Interruption(TextWriter error)
    {
        this.error = error;
        registrations = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM)];
    }

    public CancellationToken Token => source.Token;

    /// <summary>
    /// Until the result is disposed, the first signal ends the process: for work that leaves nothing behind, since neither a long computation nor native code looks
    /// at a token.
    /// </summary>
    public IDisposable EndAtOnce()
    {
        Interlocked.Increment(ref immediate);
        return new Scope(this);
    }

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        source.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        if (Volatile.Read(ref immediate) > 0)
            End();
        context.Cancel = !source.IsCancellationRequested;
        source.Cancel();
    });

    private void End()
    {
        Task.Run(() => error.WriteLine("interrupted: nothing was written.")).ContinueWith(_ => { }, TaskScheduler.Default).Wait(Patience);
        Task.Run(IsolatedJobs.EndAll).ContinueWith(_ => { }, TaskScheduler.Default).Wait(Patience);
        // Without the handlers of libraries, which could wait for what other threads are doing.
        if (OperatingSystem.IsWindows())
            Environment.Exit(CommandLine.Interrupted);
        else
            Exit(CommandLine.Interrupted);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Exit(int code);

    private sealed class Scope(Interruption interruption) : IDisposable
    {
        private bool isOver;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref isOver, true))
                Interlocked.Decrement(ref interruption.immediate);
        }
    }
}
