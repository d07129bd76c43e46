using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Benchmarks;

/// <summary>
/// <c>resume-check MODEL</c>: is a resumed search the same search? For each strategy one search runs undisturbed; others are killed by SIGKILL at random moments and
/// resumed until they end. Their files must be equal byte for byte, the times in history.csv apart.
/// </summary>
internal static class ResumeCheck
{
    // Selects the stream of random numbers that moments are drawn from.
    private const int Stream = 101;
    private const string History = "history.csv";
    private static readonly string[] Files = ["best.onnx", "arch.json", "config.json", History];

    public static Command Command()
    {
        var model = new Argument<string>("MODEL") { Description = "A marked model with its data beside it" };
        var strategies = StrategyList.Option();
        var kills = new Option<int>("--kills") { Description = "How often each strategy's searches are killed", DefaultValueFactory = _ => 10 };
        var seed = new Option<int>("--seed") { Description = "Seed of the searches, and of the moments" };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of the search, and of retraining", DefaultValueFactory = _ => 3 };
        var threads = new Option<int>("--threads") { Description = "Threads", DefaultValueFactory = _ => 1 };
        var config = new Option<string>("--config") { Description = "Other settings of the searches, as a JSON file" };
        var command = new Command("resume-check", "Kill searches at random moments, resume them, and compare") { model, strategies, kills, seed, epochs, threads, config };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(model),
            parsed.GetRequiredValue(strategies),
            parsed.GetValue(kills),
            new SearchOptions { Seed = parsed.GetValue(seed), Epochs = parsed.GetValue(epochs), Threads = parsed.GetValue(threads) },
            parsed.GetValue(config)));
        return command;
    }

    private static int Run(string model, IReadOnlyList<string> strategies, int kills, SearchOptions options, string? config)
    {
        Console.WriteLine($"{model}, seed {options.Seed}, {options.Epochs} epochs");
        Console.WriteLine($"{"strategy",-14} {"seconds",8} {"kills",6} {"searches",9}  result");
        var same = true;
        foreach (var (i, strategy) in strategies.Index())
        {
            var folder = Directory.CreateTempSubdirectory("onnxnas-resume");
            try
            {
                same &= new Trial(model, options with { Strategy = strategy }, config, folder.FullName).Run(kills, new SeededRandom(options.Seed, Stream, i));
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        return same ? 0 : 1;
    }

    // One strategy's searches.
    private sealed class Trial(string model, SearchOptions options, string? config, string folder)
    {
        private string Whole => Path.Combine(folder, "whole");

        private string Killed => Path.Combine(folder, "killed");

        public bool Run(int kills, SeededRandom random)
        {
            var start = Stopwatch.GetTimestamp();
            Search(Whole, false, Timeout.InfiniteTimeSpan);
            var time = Stopwatch.GetElapsedTime(start);
            var (done, searches) = (0, 0);
            List<string> differences = [];
            while (done < kills)
            {
                for (var ended = false; !ended;)
                {
                    var moment = done < kills ? time * random.NextDouble() : Timeout.InfiniteTimeSpan;
                    ended = Search(Killed, CheckpointFolder.Exists(CheckpointOf(Killed)), moment);
                    done += ended ? 0 : 1;
                }

                searches++;
                differences.AddRange(Differences());
                Directory.Delete(Killed, recursive: true);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{options.Strategy,-14} {time.TotalSeconds,8:0.0} {done,6} {searches,9}  {(differences.Count == 0 ? "same" : "DIFFERENT: " + string.Join(", ", differences.Distinct()))}"));
            return differences.Count == 0;
        }

        // Whether the search came to its end.
        private bool Search(string output, bool resumes, TimeSpan moment)
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
            string[] what = resumes ? ["--resume", output] :
            [
                "-o", output, "--strategy", options.Strategy, "--seed", Number(options.Seed), "--epochs", Number(options.Epochs), "--threads", Number(options.Threads),
                .. config is null ? Array.Empty<string>() : ["--config", config],
            ];
            foreach (var argument in (string[])[typeof(CommandLine).Assembly.Location, "search", model, .. what])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            _ = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(moment))
            {
                process.Kill();
                process.WaitForExit();
                // It may have ended just before.
                return Directory.Exists(output) && !CheckpointFolder.Exists(CheckpointOf(output));
            }

            return process.ExitCode == CommandLine.Done
                ? true
                : throw new TrainingException($"The search ended with exit code {process.ExitCode}: {error.Result.Trim().Split('\n')[^1]}");
        }

        private IEnumerable<string> Differences()
        {
            foreach (var file in Files)
            {
                var (a, b) = (Path.Combine(Whole, file), Path.Combine(Killed, file));
                if (file == History ? !Timeless(a).SequenceEqual(Timeless(b)) : !File.ReadAllBytes(a).AsSpan().SequenceEqual(File.ReadAllBytes(b)))
                    yield return file;
            }

            foreach (var left in Directory.EnumerateFileSystemEntries(folder).Except([Whole, Killed]))
                yield return $"left behind: {Path.GetFileName(left)}";
        }

        private static string CheckpointOf(string output) => output + SearchCheckpoint.Suffix;

        private static IEnumerable<string> Timeless(string history) => File.ReadLines(history).Select(line => line[..line.LastIndexOf(',')]);

        private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
    }
}
