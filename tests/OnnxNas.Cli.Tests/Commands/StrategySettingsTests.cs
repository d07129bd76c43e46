using System.Text.Json.Nodes;

namespace OnnxNas.Cli.Tests.Commands;

[TestClass]
public sealed class StrategySettingsTests
{
    [TestMethod]
    public void Settings_of_a_strategys_paper_take_effect_and_yield_to_the_file_and_the_command_line()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var plain = Config(bench, model, "plain", "--strategy", "pc-darts", "--epochs", "4");
        Assert.AreEqual((6e-4, 1), ((double)plain["arch_lr"]!, (int)plain["warmup_epochs"]!));
        File.WriteAllText(bench["config.json"], "{\"strategy\": \"pc-darts\", \"arch_lr\": 0.01, \"warmup_epochs\": 2}");
        var fromFile = Config(bench, model, "file", "--config", bench["config.json"], "--epochs", "4");
        Assert.AreEqual((0.01, 2), ((double)fromFile["arch_lr"]!, (int)fromFile["warmup_epochs"]!));
        // Also where the user sets what is the general default.
        var fromLine = Config(bench, model, "line", "--config", bench["config.json"], "--epochs", "4", "--arch-lr", "0.0003", "--warmup-epochs", "0");
        Assert.AreEqual((0.0003, 0), ((double)fromLine["arch_lr"]!, (int)fromLine["warmup_epochs"]!));
        var gumbel = Config(bench, model, "gumbel", "--strategy", "gumbel", "--min-temperature", "1", "--epochs", "1");
        Assert.AreEqual((5.0, 1.0), ((double)gumbel["temperature"]!, (double)gumbel["min_temperature"]!));
    }

    [TestMethod]
    public void Second_order_is_a_switch()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Assert.IsTrue((bool)Config(bench, model, "on", "--unrolled", "--epochs", "1")["unrolled"]!);
        Assert.IsFalse((bool)Config(bench, model, "off", "--epochs", "1")["unrolled"]!);
    }

    [TestMethod]
    public void A_setting_that_the_strategy_does_not_use_is_told()
    {
        using var bench = new Workbench();
        string[] search = ["search", bench.Classifier(), "-o", bench["out"], "--dry-run", "--unrolled", "--samples", "3", "--temperature", "7"];
        var (code, _, error) = Workbench.Run([.. search, "--strategy", "enas"]);
        Assert.AreEqual(0, code, error);
        Assert.Contains("--unrolled is for darts; enas does not use it", error);
        Assert.Contains("--temperature is for gumbel, gdas; enas does not use it", error);
        Assert.DoesNotContain("--samples", error);
        // What is as by default needs no word.
        Assert.DoesNotContain("does not use", Workbench.Run(["search", bench["net.onnx"], "-o", bench["out"], "--dry-run", "--strategy", "gdas", "--channel-parts", "4", "--temperature", "7"]).Error);
        Assert.DoesNotContain("does not use", Workbench.Run([.. search, "--plugin", typeof(PluginTests).Assembly.Location, "--strategy", nameof(AlwaysFirst)]).Error);
    }

    [TestMethod]
    public void The_cosine_of_a_learning_rate_below_0_001_needs_no_min_lr()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Assert.AreEqual(0.001, (double)Config(bench, model, "plain", "--epochs", "1")["min_lr"]!);
        Assert.AreEqual(0.0005, (double)Config(bench, model, "low", "--epochs", "1", "--lr", "0.0005")["min_lr"]!);
        bench.Refuses(2, "--min-lr is 0.001; it must be between 0 and --lr", "search", model, "-o", bench["out"], "--lr", "0.0005", "--min-lr", "0.001");
    }

    [TestMethod]
    [DataRow("darts", 1.0, 5.0, "--temperature is 1; it must be at least --min-temperature, which is 5")]
    [DataRow("gumbel", 0.05, null, "--temperature is 0.05; it must be at least --min-temperature, which is 0.1")]
    [DataRow("gdas", null, 20.0, "--temperature is 10; it must be at least --min-temperature, which is 20")]
    [DataRow("gumbel", 2.0, 2.0, null), DataRow("gdas", null, 10.0, null), DataRow("darts", null, 20.0, null)]
    public void A_temperature_that_would_rise_is_wrong_usage(string strategy, double? first, double? last, string? because)
    {
        using var bench = new Workbench();
        List<string> args = ["search", bench.Classifier(), "-o", bench["out"], "--strategy", strategy, "--dry-run"];
        if (first is not null)
            args.Add(FormattableString.Invariant($"--temperature={first}"));
        if (last is not null)
            args.Add(FormattableString.Invariant($"--min-temperature={last}"));
        if (because is not null)
            bench.Refuses(2, because, [.. args]);
        else
            Assert.AreEqual(0, Workbench.Run([.. args]).Code);
    }

    private static JsonObject Config(Workbench bench, string model, string name, params string[] options)
    {
        var (code, _, error) = Workbench.Run(["search", model, "-o", bench[name], "--retrain-epochs", "0", "--batch-size", "16", .. options]);
        Assert.AreEqual(0, code, error);
        return JsonNode.Parse(File.ReadAllText(Path.Combine(bench[name], "config.json")))!.AsObject();
    }
}
