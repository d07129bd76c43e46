using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OnnxNas.Fuzz.Running;

/// <summary>A worker as its parent sees it: one that can die, hang, or take too much memory.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private const int PollMilliseconds = 50;
    private const int KeptErrors = 4_000;

    // How long a fresh process may take until it is ready, on a machine that has other work.
    private static readonly TimeSpan StartTime = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly StringBuilder errors = new();
    private Task<string?> nextLine;

    public WorkerProcess(long seed, string? parents, bool isIsolated = false)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Where the program runs by way of dotnet, that takes the assembly first.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        foreach (var argument in new[] { Worker.Name, "--seed", seed.ToString(CultureInfo.InvariantCulture) })
            start.ArgumentList.Add(argument);
        if (parents is not null)
        {
            start.ArgumentList.Add("--parents");
            start.ArgumentList.Add(parents);
        }

        if (isIsolated)
            start.ArgumentList.Add(Worker.Isolated.Name);
        // One thread each: two workers share the machine. Small young generations: garbage is not taken for growth.
        foreach (var (name, value) in new[] { ("OMP_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1"), ("DOTNET_GCgen0size", "2000000"), ("DOTNET_DbgEnableMiniDump", "0") })
            start.Environment[name] = value;
        process = Process.Start(start) ?? throw new InvalidOperationException("The worker does not start.");
        process.ErrorDataReceived += (_, e) => Note(e.Data);
        process.BeginErrorReadLine();
        nextLine = process.StandardOutput.ReadLineAsync();
        Await(StartTime, long.MaxValue, out var line, out _);
        if (line != Worker.Ready)
            throw new InvalidOperationException($"The worker does not get ready: {line}\n{errors}");
    }

    /// <summary>Whether it can run another mutant.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>How the commands ended on a mutant. The process is gone afterwards if one of them ended it, or had to be ended.</summary>
    public IReadOnlyList<Verdict> Run(long number, long fileSize, TimeSpan time)
    {
        var (verdicts, verb, start) = (new List<Verdict>(), "start", Stopwatch.GetTimestamp());
        process.StandardInput.WriteLine(number.ToString(CultureInfo.InvariantCulture));
        process.StandardInput.Flush();
        var allowed = ResidentMemory.Now(Id) + Limits.Growth(fileSize) * 2;
        while (true)
        {
            var cause = Await(time, allowed, out var line, out var peak);
            if (cause is { } outcome)
            {
                IsAlive = false;
                verdicts.Add(new(verb, outcome, Stopwatch.GetElapsedTime(start).TotalMilliseconds, peak, outcome == Outcome.Crash ? Died() : "", ""));
                Kill();
                return verdicts;
            }

            if (line!.StartsWith(Worker.Begins, StringComparison.Ordinal))
                (verb, start) = (line[Worker.Begins.Length..], Stopwatch.GetTimestamp());
            else if (line.StartsWith(Worker.Ends, StringComparison.Ordinal))
                verdicts.Add(JsonSerializer.Deserialize<Verdict>(line[Worker.Ends.Length..])!);
            else
                return verdicts;
        }
    }

    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    private string Id => process.Id.ToString(CultureInfo.InvariantCulture);

    // The next line of the protocol; or why there will be none.
    private Outcome? Await(TimeSpan time, long allowed, out string? line, out long resident)
    {
        (line, resident) = (null, 0);
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (nextLine.Wait(PollMilliseconds))
            {
                line = nextLine.Result;
                if (line is null)
                    return Outcome.Crash;
                nextLine = process.StandardOutput.ReadLineAsync();
                if (line.StartsWith(Worker.Mark, StringComparison.Ordinal))
                    return null;
                continue;
            }

            if (Stopwatch.GetElapsedTime(start) > time)
                return Outcome.Hang;
            resident = Resident();
            if (resident > allowed)
                return Outcome.Memory;
        }
    }

    /// <summary>Its resident memory; 0 where it is gone.</summary>
    public long Resident()
    {
        try
        {
            return ResidentMemory.Now(Id);
        }
        catch (IOException)
        {
            // It died meanwhile, which the next line tells.
            return 0;
        }
    }

    // How it died, and the first that it said about it.
    private string Died()
    {
        process.WaitForExit();
        const int Signals = 128;
        var how = process.ExitCode > Signals ? $"signal {process.ExitCode - Signals}" : $"exit code {process.ExitCode}";
        lock (errors)
            return $"{how}: {errors.ToString().Trim()}";
    }

    private void Note(string? line)
    {
        lock (errors)
        {
            if (line is not null && errors.Length < KeptErrors)
                errors.AppendLine(line);
        }
    }

    private void Kill()
    {
        IsAlive = false;
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It is gone already.
        }
    }
}
