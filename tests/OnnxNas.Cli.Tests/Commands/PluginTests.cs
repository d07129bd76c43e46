using System.Text.Json.Nodes;
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
