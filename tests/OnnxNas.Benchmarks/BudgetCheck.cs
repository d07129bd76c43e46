using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Search.Costs;

namespace OnnxNas.Benchmarks;

/// <summary>
/// <c>budget-check MODEL --max-macs LIMIT</c>: is a budget kept? Searches with every strategy and several seeds, and counts the MACs of the files that come out.
/// </summary>
internal static class BudgetCheck
{
    public static Command Command()
    {
        var model = new Argument<string>("MODEL") { Description = "A marked model with its data beside it" };
        var limit = new Option<string>("--max-macs") { Description = "The budget", DefaultValueFactory = _ => "50%" };
        var strategies = StrategyList.Option();
        var seeds = new Option<int>("--seeds") { Description = "Searches a strategy", DefaultValueFactory = _ => 5 };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of a search", DefaultValueFactory = _ => 2 };
        var config = new Option<string>("--config") { Description = "Other settings of the searches, as a JSON file" };
        var command = new Command("budget-check", "Search within a budget, and count what the results cost") { model, limit, strategies, seeds, epochs, config };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(model),
            parsed.GetRequiredValue(limit),
            parsed.GetRequiredValue(strategies),
            parsed.GetValue(seeds),
            ["--epochs", Number(parsed.GetValue(epochs)), "--retrain-epochs", "0", "--threads", "1", .. parsed.GetValue(config) is { } file ? ["--config", file] : Array.Empty<string>()],
            Console.Out));
        return command;
    }

    public static int Run(string path, string limit, IReadOnlyList<string> strategies, int seeds, IReadOnlyList<string> options, TextWriter output)
    {
        var marked = MarkedModel.Read(path);
        var most = CostAmount.Parse(limit).In(new ModelCost(marked.Space).Macs);
        var folder = Directory.CreateTempSubdirectory("onnxnas-budget");
        var kept = true;
        try
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: at most {most:N0} MACs"));
            foreach (var strategy in strategies)
            {
                var macs = Enumerable.Range(0, seeds).Select(seed => Search(strategy, seed)).ToList();
                kept &= macs.All(m => m <= most);
                output.WriteLine($"{strategy,-12} {macs.Count(m => m <= most)} of {seeds} within: {string.Join(" ", macs.Select(m => m.ToString("N0", CultureInfo.InvariantCulture)))}");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return kept ? 0 : 1;

        // The MACs of the written file, counted anew.
        long Search(string strategy, int seed)
        {
            var result = Path.Combine(folder.FullName, $"{strategy}-{seed}");
            using var error = new StringWriter();
            if (CommandLine.Run(["search", path, "-o", result, "--strategy", strategy, "--seed", Number(seed), "--max-macs", limit, .. options], TextWriter.Null, error) != CommandLine.Done)
                throw new TrainingException($"The search by {strategy} with seed {seed} failed: {error}");
            using var report = new StringWriter();
            CommandLine.Run(["inspect", Path.Combine(result, "best.onnx"), "--json"], report, error);
            return JsonNode.Parse(report.ToString())!["macs"]!.GetValue<long>();
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
