using System.Text.Json.Nodes;
using OnnxNas.Search;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli.Tests.Commands;

[TestClass]
public sealed class PluginTests
{
    private static string Self => typeof(PluginTests).Assembly.Location;

    [TestMethod]
    public void A_trainer_in_a_library_is_a_strategy_by_the_name_of_its_class()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var (code, _, error) = Workbench.Run("search", model, "-o", bench["out"], "--plugin", Self, "--strategy", nameof(AlwaysFirst), "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8");
        Assert.AreEqual(0, code, error);
        Assert.Contains("\"op\": \"linear\"", File.ReadAllText(bench["out/arch.json"]));
    }

    [TestMethod]
    public void A_trainer_that_never_scores_its_supernet_is_reported_without_that_score()
    {
        using var bench = new Workbench();
        var (code, output, error) = Workbench.Run("search", bench.Classifier(), "-o", bench["out"], "--plugin", Self, "--strategy", nameof(Silent), "--epochs", "1", "--retrain-epochs", "1", "--batch-size", "8");
        Assert.AreEqual(0, code, error);
        Assert.DoesNotContain("NaN", output);
        Assert.Contains("(winner with its weights 0.", output);
        Assert.Contains("\"supernet_valid\": null", File.ReadAllText(bench["out/summary.json"]));
    }

    [TestMethod]
    public void Nothing_over_the_budget_is_written_whatever_a_trainer_returns()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        string[] search = ["search", model, "-o", bench["out"], "--force", "--plugin", Self, "--strategy", nameof(AlwaysFirst), "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8"];
        long Macs() => JsonNode.Parse(File.ReadAllText(bench["out/summary.json"]))!["macs"]!.GetValue<long>();
        Assert.AreEqual(0, Workbench.Run(search).Code);
        var most = Macs() - 1;
        var (code, _, error) = Workbench.Run([.. search, "--max-macs", $"{most}"]);
        Assert.AreEqual(0, code, error);
        Assert.IsLessThanOrEqualTo(most, Macs());
        Assert.Contains("over the budget", error);
        Assert.DoesNotContain("over the budget", Workbench.Run([.. search, "--max-macs", $"{most + 1}"]).Error);
    }

    [TestMethod]
    public void A_file_that_is_no_library_or_is_missing_is_refused_by_name()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        File.WriteAllText(bench["text.dll"], "no library");
        foreach (var file in (string[])["text.dll", "missing.dll"])
            bench.Refuses(1, $"Plugin '{bench[file]}' cannot be loaded", "search", model, "-o", bench["out"], "--plugin", bench[file]);
    }

    [TestMethod]
    [DataRow(nameof(FailsToStart)), DataRow(nameof(FailsToTrain)), DataRow(nameof(FailsInItsType)), DataRow(nameof(FailsInItsDefaults))]
    public void What_a_plugin_throws_is_the_plugins(string strategy)
    {
        using var bench = new Workbench();
        var (code, _, error) = Workbench.Run("search", bench.Classifier(), "-o", bench["out"], "--plugin", Self, "--strategy", strategy, "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8");
        Assert.AreEqual(1, code, error);
        var last = error.TrimEnd().Split('\n')[^1];
        Assert.Contains($"error: The plugin '{Self}' failed, not the tool: ", last);
        Assert.Contains("InvalidTimeZoneException: what it says Run with --verbose", last);
        Assert.DoesNotContain("fault of the tool", error);
        Assert.IsFalse(Directory.Exists(bench["out"]));
    }

    [TestMethod]
    public void A_library_without_a_trainer_is_refused_by_name()
    {
        using var bench = new Workbench();
        var library = typeof(Spectre.Console.Table).Assembly.Location;
        bench.Refuses(1, $"Plugin '{library}' has no trainer", "search", bench.Classifier(), "-o", bench["out"], "--plugin", library);
    }

    [TestMethod]
    public void Libraries_that_are_damaged_are_refused_by_name()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var bytes = File.ReadAllBytes(Self);
        File.WriteAllBytes(bench["cut.dll"], bytes[..(bytes.Length / 2)]);
        File.WriteAllBytes(bench["start.dll"], [.. "MZ"u8]);
        File.WriteAllBytes(bench["empty.dll"], []);
        File.WriteAllBytes(bench["noise.dll"], [.. bytes[..64], .. bytes[64..].Select((b, i) => i % 7 == 0 ? (byte)(b ^ 0x55) : b)]);
        foreach (var name in (string[])["cut.dll", "start.dll", "empty.dll", "noise.dll"])
            bench.Refuses(1, $"Plugin '{bench[name]}' cannot be loaded", "search", model, "-o", bench["out"], "--plugin", bench[name]);
    }

    [TestMethod]
    public void Adding_a_library_twice_adds_its_trainers_once()
    {
        StrategyCatalog.Add(typeof(PluginTests).Assembly);
        StrategyCatalog.Add(typeof(PluginTests).Assembly);
        Assert.AreEqual(1, StrategyCatalog.All.Count(s => s.Name == nameof(AlwaysFirst)));
    }
}

internal sealed class AlwaysFirst(TrainingTask task) : SamplingTrainer(task)
{
    public override Architecture Export() => Path;

    protected override void Step(Optimizer weights, Batch train, Batch valid) => WeightStep(weights, train);
}

internal sealed class Silent : OneShotTrainer
{
    public Silent(TrainingTask task) : base(task)
    {
        ReplaceLayerChoice(choice => new MixtureModule(choice, () => new([0])));
        ReplaceInputChoice(choice => new MixtureModule(choice, () => new([0, 1])));
    }

    public override void Fit()
    {
    }

    public override Architecture Export() => Architecture.First(Task.Space);
}

internal sealed class FailsToStart : Failing
{
    public FailsToStart(TrainingTask task) : base(task) => throw new InvalidTimeZoneException("what it says");
}

internal sealed class FailsToTrain(TrainingTask task) : Failing(task)
{
    public override void Fit() => throw new InvalidTimeZoneException("what it says");
}

internal sealed class FailsInItsType(TrainingTask task) : Failing(task)
{
    private static readonly int Never = Fail();

    public override void Fit() => Console.WriteLine(Never);

    private static int Fail() => throw new InvalidTimeZoneException("what it says");
}

internal sealed class FailsInItsDefaults(TrainingTask task) : Failing(task), IStrategyDefaults
{
    public static SearchOptions Defaults(SearchOptions options) => throw new InvalidTimeZoneException("what it says");
}

internal abstract class Failing : OneShotTrainer
{
    protected Failing(TrainingTask task) : base(task)
    {
        ReplaceLayerChoice(choice => new MixtureModule(choice, () => new([0])));
        ReplaceInputChoice(choice => new MixtureModule(choice, () => new([0, 1])));
    }

    public override void Fit()
    {
    }

    public override Architecture Export() => Architecture.First(Task.Space);
}
