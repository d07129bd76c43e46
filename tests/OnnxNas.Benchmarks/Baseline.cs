using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Operators.Native;
using OnnxNas.Search;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using TorchSharp;

namespace OnnxNas.Benchmarks;

/// <summary>
/// <c>baseline MODEL</c>: does the search beat chance? Trains random architectures alone, from the weights of the file, for as many steps as
/// the weights of the search's winner get while searching and after; then searches. All are scored on the same test samples by ONNX Runtime.
/// </summary>
internal static class Baseline
{
    // Selects the stream of random numbers that architectures are drawn from.
    private const int Stream = 100;

    public static Command Command()
    {
        var model = new Argument<string>("MODEL") { Description = "A marked model with its data beside it" };
        var count = new Option<int>("--count") { Description = "How many random architectures", DefaultValueFactory = _ => 10 };
        var seed = new Option<int>("--seed") { Description = "Seed of the search, and of what is drawn" };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of the search", DefaultValueFactory = _ => new SearchOptions().Epochs };
        var threads = new Option<int>("--threads") { Description = "Threads; 0 = one a core" };
        var files = new Option<string[]>("--arch") { Description = "Train the architectures of these files alone, and do nothing else", AllowMultipleArgumentsPerToken = true };
        var command = new Command("baseline", "Compare a search with random architectures trained alone") { model, count, seed, epochs, threads, files };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(model),
            new SearchOptions { Seed = parsed.GetValue(seed), Epochs = parsed.GetValue(epochs), Threads = parsed.GetValue(threads) }.Checked(),
            parsed.GetValue(count),
            parsed.GetValue(files) ?? []));
        return command;
    }

    private static int Run(string path, SearchOptions options, int count, string[] files)
    {
        var marked = MarkedModel.Read(path);
        using var data = SearchData.Open(marked, path, options);
        if (data.Split.Test is null || count < 1)
            throw new DataException("A comparison needs test samples and at least one random architecture.");
        var drawn = Enumerable.Range(0, count).Select(i => Architecture.Random(marked.Space, new SeededRandom(options.Seed, Stream, i))).ToList();
        var given = files.Select(f => Architecture.Parse(marked.Space, File.ReadAllText(f))).ToList();
        TorchRuntime.EnsureLoaded();
        options = options with { Threads = options.EffectiveThreads() };
        torch.set_num_threads(options.Threads);

        var both = data.Split.Train.Count + data.Split.Valid.Count;
        var epochs = options.EffectiveRetrainEpochs() + (int)Math.Ceiling(options.Epochs * (double)data.Split.Train.Count / both);
        Console.WriteLine($"{path}, seed {options.Seed}: each alone for {epochs} epochs on {both} samples, tested on {data.Split.Test.Count}");
        var alone = new StandaloneTraining(marked, data);
        var costs = new ModelCost(marked.Space);
        foreach (var architecture in given)
            Score("given", architecture);
        if (given.Count > 0)
            return 0;
        var scores = drawn.Select((architecture, i) => Score($"random {i + 1}", architecture)).ToList();

        var (winner, test, seconds) = Search(path, options);
        Score("winner, alone", Architecture.Parse(marked.Space, winner));
        Line("random, mean", scores.Average());
        Line("random, least", scores.Min());
        Line("random, most", scores.Max());
        Line("search", test, $"{seconds:0.0} s; {test / scores.Average():0.000} times the random mean");
        return 0;

        double Score(string name, Architecture architecture)
        {
            var score = alone.Score(architecture, options, epochs);
            Line(name, score, $"{costs.Of(architecture).Parameters} parameters  {architecture}");
            return score;
        }
    }

    private static void Line(string name, double score, string more = "") =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-14} {score:0.0000}  {more}"));

    // The search as the command line runs it: its winner, its test metric and its time.
    private static (string Winner, double Test, double Seconds) Search(string path, SearchOptions options)
    {
        var folder = Directory.CreateTempSubdirectory("onnxnas-baseline");
        try
        {
            using var output = new StringWriter();
            string[] args = ["search", path, "-o", Path.Combine(folder.FullName, "result"), "--json", "--seed", Number(options.Seed), "--epochs", Number(options.Epochs), "--threads", Number(options.Threads)];
            var start = Stopwatch.GetTimestamp();
            if (CommandLine.Run(args, output, TextWriter.Null) != CommandLine.Done)
                throw new TrainingException($"The search failed; run 'onnxnas {string.Join(' ', args)}' to see why.");
            var summary = JsonNode.Parse(output.ToString())!;
            return (summary["architecture"]!.ToJsonString(), summary["metrics"]!["test"]!.GetValue<double>(), Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
