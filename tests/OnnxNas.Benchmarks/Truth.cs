using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Operators.Native;
using OnnxNas.Search;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using TorchSharp;

namespace OnnxNas.Benchmarks;

/// <summary>
/// <c>truth MODEL --out CSV</c>: how good is each architecture of a small space? Trains every one alone, from weights drawn afresh, once per seed, and scores it on the test
/// samples by ONNX Runtime. The table is written after each architecture; those that it holds already are not trained again.
/// </summary>
internal static class Truth
{
    // Selects the stream of random numbers that first weights are drawn from.
    private const int Stream = 102;

    public static Command Command()
    {
        var settings = new Settings();
        var model = new Argument<string>("MODEL") { Description = "A marked model of LayerChoices only" };
        var seeds = new Option<int>("--seeds") { Description = "How often each architecture is trained", DefaultValueFactory = _ => 2 };
        var output = new Option<string>("--out") { Description = "The table, a CSV file; begun before, it is continued", Required = true };
        var command = new Command("truth", "Train every architecture of a small space alone, with the settings of a search") { model, seeds, output };
        foreach (var option in settings.Options.Where(o => o.Name is not ("--seed" or "--strategy")))
            command.Add(option);
        command.SetAction(parsed => Run(parsed.GetRequiredValue(model), settings.Read(parsed, null, null, o => o), parsed.GetValue(seeds), parsed.GetRequiredValue(output), Console.Out));
        return command;
    }

    public static int Run(string path, SearchOptions options, int seeds, string file, TextWriter output)
    {
        var marked = MarkedModel.Read(path);
        if (marked.Space.Choices.Any(c => c is not LayerChoice))
            throw new ChoiceException("The table has one candidate in a column; give a model of LayerChoices only.");
        using var data = SearchData.Open(marked, path, options);
        if (data.Split.Test is null || seeds < 1)
            throw new DataException("A table needs test samples and at least one seed.");
        TorchRuntime.EnsureLoaded();
        options = options with { Threads = options.EffectiveThreads() };
        torch.set_num_threads(options.Threads);

        var table = File.Exists(file) ? TruthTable.Read(file) : new([.. marked.Space.Choices.Select(c => c.Label)], seeds);
        var training = new StandaloneTraining(marked, data);
        foreach (var selections in ChoiceOptions.All(marked.Space))
        {
            var architecture = new Architecture(marked.Space, selections);
            if (table.Find(architecture) is not null)
                continue;
            var start = Stopwatch.GetTimestamp();
            var scores = Enumerable.Range(0, seeds)
                .Select(seed => training.Score(architecture, options with { Seed = seed }, options.Epochs, new SeededRandom(seed, Stream)))
                .ToList();
            table.Add(new(architecture.ToString(), scores));
            table.Write(file);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{table.Rows.Count,5} of {marked.Space.Size}  {scores.Average():0.0000}  {Stopwatch.GetElapsedTime(start).TotalSeconds,6:0.0} s  {architecture}"));
        }

        return 0;
    }
}
