using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxNas.Cli;
using OnnxNas.Cli.Reports;
using OnnxNas.Ir;
using OnnxNas.Operators.Native;
using OnnxNas.Search;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;
using TorchSharp;

namespace OnnxNas.Benchmarks;

/// <summary>
/// <c>compare MODEL --table CSV</c>: which strategy finds good architectures? Runs only the search, and looks up in the table of <see cref="Truth"/> what it returns.
/// Each run is a line, on the console and in a CSV file; runs that the file holds already are not done again.
/// </summary>
internal static class Compare
{
    private static readonly string[] Given = ["strategy", "seed", "data", "threads"];

    public static Command Command()
    {
        var settings = new Settings();
        var model = new Argument<string>("MODEL") { Description = "A marked model" };
        var table = new Option<string>("--table") { Description = "The table that 'truth' made of it", Required = true };
        var strategies = StrategyList.Option();
        var seeds = new Option<int>("--seeds") { Description = "Searches a strategy", DefaultValueFactory = _ => 5 };
        var firstSeed = new Option<int>("--first-seed") { Description = "The first of the seeds: others than those that settings were chosen with" };
        var configs = new Option<string>("--configs") { Description = "A folder with settings files named as strategies, such as darts.json" };
        var output = new Option<string>("--out") { Description = "A CSV file with a line a search; begun before, it is continued", Required = true };
        var command = new Command("compare", "Rank what strategies return among all architectures") { model, table, strategies, seeds, firstSeed, configs, output };
        foreach (var option in settings.Options.Where(o => o.Name is not ("--seed" or "--strategy")))
            command.Add(option);
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(model),
            TruthTable.Read(parsed.GetRequiredValue(table)),
            parsed.GetRequiredValue(strategies),
            Enumerable.Range(parsed.GetValue(firstSeed), parsed.GetValue(seeds)),
            strategy => settings.Read(parsed, ConfigOf(parsed.GetValue(configs), strategy), null, o => StrategyCatalog.Defaults(o with { Strategy = strategy })) with { Strategy = strategy },
            parsed.GetRequiredValue(output),
            Console.Out));
        return command;
    }

    private static string? ConfigOf(string? folder, string strategy) => folder is not null && Path.Combine(folder, strategy + ".json") is var file && File.Exists(file) ? file : null;

    public static int Run(string path, TruthTable table, IReadOnlyList<string> strategies, IEnumerable<int> seeds, Func<string, SearchOptions> settings, string file, TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        var done = File.Exists(file) ? File.ReadAllLines(file).Skip(1).Select(ComparedRun.Parse).ToList() : [];
        if (done.Count == 0)
            File.WriteAllText(file, ComparedRun.Header + "\n");

        output.WriteLine($"{path}, {table.Rows.Count} architectures");
        output.WriteLine($"{"strategy",-12} {"seed",4} {"better",7} {"regret",7} {"likely",7} {"epochs",6} {"seconds",8} {"p",5}  architecture");
        var means = new List<ComparedRun>();
        foreach (var strategy in strategies)
        {
            var options = settings(strategy);
            options = options with { Threads = options.EffectiveThreads() };
            torch.set_num_threads(options.Threads);
            var changed = Changed(options);
            output.WriteLine($"{strategy}, settings: {(changed.Length > 0 ? changed : "default")}");
            var runs = new List<ComparedRun>();
            foreach (var seed in seeds)
            {
                var run = done.FirstOrDefault(r => r.Strategy == strategy && r.Seed == Number(seed) && r.Settings == changed);
                if (run is null)
                    File.AppendAllText(file, (run = Search(path, table, options with { Seed = seed }, changed)) + "\n");
                runs.Add(run);
                Print(output, run);
            }

            means.Add(ComparedRun.Mean(runs));
        }

        foreach (var mean in means)
            Print(output, mean);
        return 0;
    }

    private static ComparedRun Search(string path, TruthTable table, SearchOptions options, string changed)
    {
        var marked = MarkedModel.Read(path);
        using var data = SearchData.Open(marked, path, options);
        var epochs = new EpochCount();
        torch.manual_seed(options.Seed);
        var start = Environment.CpuUsage.TotalTime;
        using var trainer = StrategyCatalog.Create(options.Strategy, new TrainingTask(
            marked.Space, data.Split.Train, data.Split.Valid, data.Loss, data.Objective.NewMetric, options, epochs, torch.CPU, CancellationToken.None));
        trainer.Fit();
        var architecture = trainer.Ranking(options.Top)[0].Architecture;
        var seconds = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
        var (row, likeliest) = (RowOf(architecture), RowOf(trainer.Export()));
        var chosen = marked.Space.Choices.SelectMany(c => trainer.Probabilities(c) is { Count: > 0 } p ? architecture[c.Label].Select(k => p[k]) : []).ToList();
        return new(options.Strategy, Number(options.Seed), changed, table.Percentile(row), table.Best - row.Mean, table.Percentile(likeliest), epochs.Epochs, seconds, chosen.Count > 0 ? chosen.Average() : double.NaN, row.Architecture);

        TruthRow RowOf(Architecture a) => table.Find(a) ?? throw new DataException($"The table lacks '{a}'; finish it with 'truth'.");
    }

    // The settings that are not the strategy's defaults.
    private static string Changed(SearchOptions options)
    {
        var defaults = Keys(StrategyCatalog.Defaults(new() { Strategy = options.Strategy, Epochs = options.Epochs }) with { Epochs = new SearchOptions().Epochs });
        return string.Join(' ', Keys(options).Where(s => !Given.Contains(s.Key) && !JsonNode.DeepEquals(s.Value, defaults[s.Key])).Select(s => $"{s.Key}={s.Value}"));

        static JsonObject Keys(SearchOptions o) => JsonSerializer.SerializeToNode(o, JsonText.Options)!.AsObject();
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Print(TextWriter output, ComparedRun run) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{run.Strategy,-12} {run.Seed,4} {run.Better,7:0.0%} {run.Regret,7:0.0000} {run.Likeliest,7:0.0%} {run.Epochs,6:0.#} {run.Seconds,8:0.0} {run.Probability,5:0.00}  {run.Architecture}"));
}
