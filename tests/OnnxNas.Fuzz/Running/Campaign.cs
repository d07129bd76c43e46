using System.Diagnostics;
using System.Globalization;

namespace OnnxNas.Fuzz.Running;

/// <summary>Has workers run mutants, each many in a row; a worker that ends is replaced. What takes too much time or memory must do so again in a fresh one.</summary>
internal sealed class Campaign(long seed, string? parents, FindingLog log)
{
    private const int Workers = 2;

    // Libraries keep some memory of every model: a worker that has grown so far is replaced.
    private const long Retirement = 3L << 30;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(20);

    private readonly Lock sync = new();
    private long next;
    private long done;

    /// <summary>Runs the mutants from <paramref name="start"/> up to <paramref name="end"/>.</summary>
    public void Run(long start, long end)
    {
        next = start;
        var clock = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, (int)Math.Min(Workers, end - start)).Select(_ => new Thread(() => Work(end))).ToList();
        threads.ForEach(t => t.Start());
        using (new Timer(_ => Progress(clock.Elapsed, end - start), null, ReportEvery, ReportEvery))
            threads.ForEach(t => t.Join());
        log.Ended(done, clock.Elapsed);
    }

    private void Work(long end)
    {
        WorkerProcess? worker = null;
        try
        {
            while (Interlocked.Increment(ref next) - 1 is var number && number < end)
            {
                var mutant = log.Source.Make(number);
                worker ??= new(seed, parents);
                var verdicts = worker.Run(number, mutant.Bytes.Length, Limits.Time);
                if (verdicts.Any(v => v.Outcome is Outcome.Hang or Outcome.Memory))
                {
                    worker.Dispose();
                    worker = new(seed, parents);
                    verdicts = worker.Run(number, mutant.Bytes.Length, Limits.Time);
                }

                if (verdicts.FirstOrDefault(v => v.Outcome == Outcome.Crash) is { } crash)
                    verdicts = AsForUsers(mutant, crash);

                if (!worker.IsAlive || worker.Resident() > Retirement)
                {
                    worker.Dispose();
                    worker = null;
                }

                lock (sync)
                {
                    done++;
                    log.Add(mutant, verdicts);
                }
            }
        }
        finally
        {
            worker?.Dispose();
        }
    }

    // What ends a worker is looked at again the way users meet it, where a process of its own bears it. Where all is well then, an earlier mutant may
    // have broken what this one met: that counts as well.
    private IReadOnlyList<Verdict> AsForUsers(Mutant mutant, Verdict crash)
    {
        using var worker = new WorkerProcess(seed, parents, isIsolated: true);
        var verdicts = worker.Run(mutant.Number, mutant.Bytes.Length, Limits.TimeWithStart);
        return verdicts.Any(v => v.Outcome is Outcome.Crash or Outcome.Reported) ? verdicts : [.. verdicts, crash with { Message = $"once: {crash.Message}" }];
    }

    private void Progress(TimeSpan time, long count)
    {
        lock (sync)
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} of {count}, {done / time.TotalSeconds:0.0} a second, {log.FindingCount} findings"));
    }
}
