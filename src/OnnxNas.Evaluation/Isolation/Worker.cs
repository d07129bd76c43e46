using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace OnnxNas.Evaluation.Isolation;

/// <summary>One worker process. It does jobs one after the other, until one of them ends it.</summary>
internal sealed class Worker : IDisposable
{
    private const int PollMilliseconds = 20;
    private const int KeptErrorLines = 20;
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly ConcurrentDictionary<Worker, bool> Alive = [];
    private readonly Process process;
    private readonly BlockingCollection<string> replies = [];
    private readonly Queue<string> errors = [];

    /// <summary>Starts the process and waits until it serves.</summary>
    /// <exception cref="WorkerException">It cannot be started.</exception>
    public Worker(WorkerProgram program, CancellationToken cancellation)
    {
        try
        {
            process = Process.Start(program.ToStartInfo())!;
            Alive[this] = true;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new WorkerException($"'{program.FileName}' cannot be started: {e.Message}", e);
        }

        process.OutputDataReceived += (_, e) => Take(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var started = Wait(new(StartLimit, long.MaxValue), cancellation);
        if (started.End == WorkerEnd.Done)
            return;
        Dispose();
        throw new WorkerException($"'{string.Join(' ', [program.FileName, .. program.Arguments])}' does not serve: {started.Reason}");
    }

    /// <summary>Memory in use.</summary>
    public long MemoryBytes
    {
        get
        {
            try
            {
                process.Refresh();
                return process.WorkingSet64;
            }
            catch (InvalidOperationException)
            {
                return 0; // It has ended.
            }
        }
    }

    /// <summary>Does one job. After an outcome other than done or failed the process is gone.</summary>
    public WorkerOutcome Run(string job, ReadOnlyMemory<byte> payload, WorkerLimits limits, CancellationToken cancellation)
    {
        try
        {
            WorkerLoop.Write(process.StandardInput.BaseStream, job, payload.Span);
        }
        catch (IOException)
        {
            // It ended before it read all of the job: the wait tells how.
        }

        return Wait(limits, cancellation);
    }

    /// <summary>Ends all that there are, for a process that ends at once.</summary>
    public static void EndAll()
    {
        foreach (var worker in Alive.Keys)
            worker.Kill();
    }

    public void Dispose()
    {
        Alive.TryRemove(this, out _);
        Kill();
        process.Dispose();
        replies.Dispose();
    }

    private void Kill()
    {
        try
        {
            process.Kill();
            process.WaitForExit();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }

    private WorkerOutcome Wait(WorkerLimits limits, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (replies.TryTake(out var line, PollMilliseconds, cancellation))
                return Read(line);
            if (process.HasExited)
            {
                process.WaitForExit(); // Until all that it wrote has been read.
                return replies.TryTake(out line) ? Read(line) : new(WorkerEnd.Crashed, [], Cause());
            }

            if (clock.Elapsed > limits.Time)
                return End(string.Create(CultureInfo.InvariantCulture, $"it took longer than {limits.Time.TotalSeconds:0.#} seconds"));
            if (MemoryBytes is var memory && memory > limits.MemoryBytes)
                return End(string.Create(CultureInfo.InvariantCulture, $"it took {memory >> 20} MiB of memory, more than the {limits.MemoryBytes >> 20} MiB it may take"));
        }
    }

    private WorkerOutcome End(string reason)
    {
        process.Kill();
        return new(WorkerEnd.OverLimit, [], reason);
    }

    private static WorkerOutcome Read(string line)
    {
        var content = Convert.FromBase64String(line[WorkerLoop.DoneMark.Length..]);
        return line.StartsWith(WorkerLoop.DoneMark, StringComparison.Ordinal) ? new(WorkerEnd.Done, content, "") : new(WorkerEnd.Failed, [], Encoding.UTF8.GetString(content));
    }

    // The C++ runtime says which exception nobody caught, .NET what it gave up on.
    private string Cause()
    {
        lock (errors)
        {
            var said = errors.FirstOrDefault(l => l.Contains("what():", StringComparison.Ordinal)) ?? errors.FirstOrDefault(l => l.StartsWith("Stack overflow", StringComparison.Ordinal));
            return ProcessEnd.Describe(process.ExitCode) + (said is null ? "" : $": {said.Replace("what():", "", StringComparison.Ordinal).Trim()}");
        }
    }

    private void Take(string? line)
    {
        if (line is null || !line.StartsWith(WorkerLoop.DoneMark, StringComparison.Ordinal) && !line.StartsWith(WorkerLoop.FailedMark, StringComparison.Ordinal))
            return;
        try
        {
            replies.Add(line);
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits for it any more.
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (errors)
        {
            errors.Enqueue(line);
            if (errors.Count > KeptErrorLines)
                errors.Dequeue();
        }
    }
}
