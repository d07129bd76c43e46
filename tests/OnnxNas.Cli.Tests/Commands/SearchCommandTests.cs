using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

[TestClass]
public sealed class SearchCommandTests
{
    private static readonly string[] Files = ["arch.json", "best.onnx", "config.json", "history.csv", "ranking.json", "summary.json"];

    [TestMethod]
    public void A_search_writes_every_file_and_says_where()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var (code, output, error) = Search(bench, model, "out", "--epochs", "2", "--retrain-epochs", "1", "--batch-size", "8");
        Assert.AreEqual(0, code, error);
        CollectionAssert.AreEqual(Files, Directory.GetFiles(bench["out"]).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToArray());
        foreach (var text in new[] { "op", "inputs", "runner-up", "margin", "smallest subnet", "largest", "test 0.", "best.onnx" })
            Assert.Contains(text, output);
        Assert.HasCount(3 + 5 * 2, error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        var source = OnnxFile.Read(model);
        var best = OnnxFile.Read(bench["out/best.onnx"]);
        PlainModel.Check(best, source, "best.onnx");

        var arch = Json(bench["out/arch.json"]);
        CollectionAssert.AreEqual((string[])["op", "inputs"], arch.Select(p => p.Key).ToArray());
        Assert.AreEqual(JsonValueKind.String, arch["op"]!.GetValueKind());
        Assert.HasCount(2, arch["inputs"]!.AsArray());

        var history = File.ReadAllLines(bench["out/history.csv"]);
        Assert.AreEqual("phase,epoch,train_loss,valid_loss,accuracy,lr,seconds", history[0]);
        var finalists = Enumerable.Range(1, 5).SelectMany(i => new[] { $"finalist_{i},1", $"finalist_{i},2" });
        CollectionAssert.AreEqual((string[])["search,1", "search,2", .. finalists, "retrain,1"], history.Skip(1).Select(r => string.Join(',', r.Split(',').Take(2))).ToArray());

        var summary = Json(bench["out/summary.json"]);
        foreach (var key in new[]
        {
            "model", "strategy", "seed", "device", "threads", "epochs", "steps", "batch_size", "space_size", "search_seconds", "ms_per_step",
            "peak_rss_mb", "architecture", "metrics", "parity_max_abs_diff", "parameters", "macs",
        })
        {
            Assert.IsTrue(summary.ContainsKey(key), key);
        }

        foreach (var key in new[] { "name", "supernet_valid", "valid", "test" })
            Assert.IsTrue(summary["metrics"]!.AsObject().ContainsKey(key), key);
        Assert.AreEqual(2, (int)summary["epochs"]!);
        // 60 samples: 12 test, 24 valid, 24 train; three full batches of 8, twice.
        Assert.AreEqual(6, (int)summary["steps"]!);
        Assert.AreEqual("9", (string)summary["space_size"]!);
        Assert.IsGreaterThan(0, (double)summary["ms_per_step"]!);
        Assert.IsGreaterThan(1, (double)summary["peak_rss_mb"]!);
        Assert.AreEqual(arch.ToJsonString(), summary["architecture"]!.ToJsonString());
        Assert.IsLessThanOrEqualTo(1e-4, (double)summary["parity_max_abs_diff"]!);
        var floats = best.Graph.Initializers.Where(i => i.Initializer!.Type == ElementType.Float32 && !i.Name.EndsWith(".mean", StringComparison.Ordinal) && !i.Name.EndsWith(".var", StringComparison.Ordinal));
        Assert.AreEqual(floats.Sum(i => i.Initializer!.ElementCount), (long)summary["parameters"]!);

        var config = Json(bench["out/config.json"]);
        foreach (var key in new[] { "strategy", "epochs", "batch_size", "lr", "arch_lr", "seed", "valid", "test", "test_fraction", "valid_fraction", "retrain_epochs", "init", "loss", "threads", "device", "data" })
            Assert.IsTrue(config.ContainsKey(key), key);
        Assert.AreEqual("cross-entropy", (string)config["loss"]!);
    }

    [TestMethod]
    public void The_ranking_has_the_winner_first_and_random_architectures_stand_beside_it()
    {
        using var bench = new Workbench();
        var (code, output, error) = Search(bench, bench.Classifier(), "out", "--epochs", "2", "--batch-size", "8", "--top", "4", "--finalist-epochs", "0", "--baseline", "2");
        Assert.AreEqual(0, code, error);
        var rows = JsonNode.Parse(File.ReadAllText(bench["out/ranking.json"]))!.AsArray();
        Assert.HasCount(4, rows);
        Assert.HasCount(4, rows.Select(r => r!["architecture"]!.ToJsonString()).Distinct());
        Assert.AreEqual(Json(bench["out/arch.json"]).ToJsonString(), rows[0]!["architecture"]!.ToJsonString());
        for (var i = 0; i < 3; i++)
            Assert.AreEqual((double)rows[i]!["metric"]! - (double)rows[i + 1]!["metric"]!, (double)rows[i]!["margin"]!, 1e-12);
        Assert.IsTrue(rows.Take(3).All(r => (double)r!["margin"]! >= 0) && rows[3]!["margin"] is null);
        var summary = Json(bench["out/summary.json"]);
        Assert.AreEqual((long)summary["parameters"]!, (long)rows[0]!["parameters"]!);
        Assert.AreEqual((long)summary["macs"]!, (long)rows[0]!["macs"]!);
        // The winner's score in the ranking is what ONNX Runtime makes of it with the supernet's weights.
        Assert.AreEqual((double)summary["metrics"]!["inherited_valid"]!, (double)rows[0]!["metric"]!, 1e-6);
        var baseline = summary["baseline"]!.AsArray();
        Assert.HasCount(2, baseline);
        Assert.IsTrue(baseline.All(b => (double)b!["test"]! is >= 0 and <= 1));
        Assert.Contains("random 2", output);
        Assert.AreEqual(4, File.ReadAllLines(bench["out/history.csv"]).Count(l => l.StartsWith("baseline_", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Where_cost_counts_the_ranking_tells_what_it_is_by()
    {
        using var bench = new Workbench();
        var (code, output, error) = Search(bench, bench.Classifier(), "out", "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8", "--finalist-epochs", "0", "--penalty-weight", "5", "--cost", "params", "--cost-target", "40", "--penalty-shape", "absolute");
        Assert.AreEqual(0, code, error);
        Assert.Contains("reward", output);
        var rows = JsonNode.Parse(File.ReadAllText(bench["out/ranking.json"]))!.AsArray();
        Assert.HasCount(5, rows);
        double[] rewards = [.. rows.Select(r => (double)r!["metric"]! - 5 * Math.Abs((long)r["parameters"]! / 40.0 - 1))];
        CollectionAssert.AreEqual(rewards.OrderDescending().ToArray(), rewards);
        for (var i = 0; i < 5; i++)
        {
            Assert.AreEqual(rewards[i], (double)rows[i]!["reward"]!, 1e-12);
            if (i < 4)
                Assert.AreEqual(rewards[i] - rewards[i + 1], (double)rows[i]!["margin"]!, 1e-12);
        }

        // By the metric alone they would stand otherwise.
        double[] metrics = [.. rows.Select(r => (double)r!["metric"]!)];
        CollectionAssert.AreNotEqual(metrics.OrderDescending().ToArray(), metrics);
    }

    [TestMethod]
    public void A_search_that_reckons_with_latency_tells_what_it_predicted_and_what_the_file_takes()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        bench.UseCache("cache");
        var (code, output, error) = Search(bench, model, "out", "--epochs", "1", "--batch-size", "8", "--max-latency-ms", "100%");
        Assert.AreEqual(0, code, error);
        var latency = Json(bench["out/summary.json"])["latency"]!;
        Assert.IsTrue((double)latency["predicted_ms"]! > 0 && (double)latency["measured_ms"]! > 0 && (double)latency["limit_ms"]! >= (double)latency["predicted_ms"]!);
        Assert.Contains("ms measured", output);
        var rows = JsonNode.Parse(File.ReadAllText(bench["out/ranking.json"]))!.AsArray();
        Assert.AreEqual((double)latency["predicted_ms"]!, (double)rows[0]!["latency_ms"]!);
        Assert.IsTrue(rows.All(r => (double)r!["latency_ms"]! <= (double)latency["limit_ms"]!));

        Assert.AreEqual(0, Search(bench, model, "other", "--epochs", "1", "--batch-size", "8").Code);
        Assert.IsNull(Json(bench["other/summary.json"])["latency"]);
    }

    [TestMethod]
    [DataRow("--max-macs", "once"), DataRow("--max-params", "often")]
    public void A_limit_binds_the_cost_that_it_names(string option, string expected)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var (y, weight) = (x, net.Weight("weight", 4, 4));
        for (var i = 0; i < 3; i++)
            y = net.Op("MatMul", y, weight);
        bench.SaveData("net.npz", Workbench.Samples());
        // With the head 56 MACs and 26 parameters, or 24 MACs and 30 parameters.
        var model = bench.Save(net.Build((net.Linear("head", net.LayerChoice("op", ["often", "once"], y, net.Linear("once", x, 4, 4)), 4, 2), [Dim.Symbol("N"), 2])));
        var (code, _, error) = Search(bench, model, "out", "--epochs", "1", "--retrain-epochs", "0", option, "28");
        Assert.AreEqual(0, code, error);
        Assert.AreEqual(expected, (string)Json(bench["out/arch.json"])["op"]!);
        var summary = Json(bench["out/summary.json"]);
        Assert.AreEqual(expected == "once" ? (24, 30) : (56, 26), ((int)summary["macs"]!, (int)summary["parameters"]!));
    }

    [TestMethod]
    public void What_diverges_ranks_last_and_costs_neither_the_winner_nor_the_comparison()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var wild = net.Op("Exp", net.Op("Exp", net.Op("Mul", net.Linear("wild", x, 4, 2), net.Constant("far", [], _ => 1000))));
        bench.SaveData("net.npz", Workbench.Samples());
        var model = bench.Save(net.Build((net.LayerChoice("op", ["wild", "calm"], wild, net.Linear("calm", x, 4, 2)), [Dim.Symbol("N"), 2])));
        var (code, output, error) = Search(bench, model, "out", "--strategy", "grid", "--epochs", "2", "--batch-size", "8", "--baseline", "2");
        Assert.AreEqual(0, code, error);
        Assert.Contains("op=wild diverged and ranks last: The loss became ", error);
        var rows = JsonNode.Parse(File.ReadAllText(bench["out/ranking.json"]))!.AsArray();
        CollectionAssert.AreEqual((string[])["calm", "wild"], rows.Select(r => (string)r!["architecture"]!["op"]!).ToArray());
        Assert.IsTrue(rows[0]!["metric"] is not null && rows[0]!["margin"] is null && rows[1]!["metric"] is null);
        foreach (var row in Json(bench["out/summary.json"])["baseline"]!.AsArray())
            Assert.AreEqual((string)row!["architecture"]!["op"]! == "wild", row["valid"] is null && row["test"] is null);
        Assert.AreEqual(2, output.Split('\n').Count(l => l.Contains("diverged", StringComparison.Ordinal)), output);
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (var (name, seed) in new[] { ("a", "4"), ("b", "4"), ("c", "5") })
            Assert.AreEqual(0, Search(bench, model, name, "--seed", seed, "--epochs", "2", "--batch-size", "8").Code);
        // The file of settings that a search leaves makes the same search again.
        Assert.AreEqual(0, Search(bench, model, "d", "--config", bench["a/config.json"]).Code);
        foreach (var again in new[] { "b", "d" })
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(bench["a/best.onnx"]), File.ReadAllBytes(bench[$"{again}/best.onnx"]), again);
            Assert.AreEqual(File.ReadAllText(bench["a/arch.json"]), File.ReadAllText(bench[$"{again}/arch.json"]));
            CollectionAssert.AreEqual(Timeless(bench["a/history.csv"]), Timeless(bench[$"{again}/history.csv"]));
            Assert.AreEqual(File.ReadAllText(bench["a/config.json"]), File.ReadAllText(bench[$"{again}/config.json"]));
        }

        Assert.IsFalse(File.ReadAllBytes(bench["a/best.onnx"]).SequenceEqual(File.ReadAllBytes(bench["c/best.onnx"])));
    }

    [TestMethod]
    [DataRow("--schedule", "step"), DataRow("--schedule", "constant"), DataRow("--ema", "0.99"), DataRow("--label-smoothing", "0.1"), DataRow("--retrain-epochs", "0"), DataRow("--init", "scratch"), DataRow("--batch-size", "1"), DataRow("--batch-size", "1000"), DataRow("--seed", "-3"), DataRow("--grad-clip", "0")]
    public void Settings_at_their_edges_work(string option, string value)
    {
        using var bench = new Workbench();
        var (code, _, error) = Search(bench, bench.Classifier(), "out", option, value, "--epochs", "1");
        Assert.AreEqual(0, code, error);
        Assert.IsTrue(double.IsFinite((double)Json(bench["out/summary.json"])["metrics"]!["test"]!));
    }

    [TestMethod]
    public void Json_on_standard_output_is_the_summary_alone()
    {
        using var bench = new Workbench();
        var (code, output, _) = Search(bench, bench.Classifier(), "out", "--epochs", "1", "--json");
        Assert.AreEqual(0, code);
        Assert.AreEqual(File.ReadAllText(bench["out/summary.json"]), output.ReplaceLineEndings("\n"));
    }

    [TestMethod]
    public void Numbers_are_predicted_too_and_the_command_line_beats_the_settings_file()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var data = bench.SaveData("numbers.npz", ("x", TestTensors.Normal(5, 40, 4)), ("target", TestTensors.Normal(6, 40, 2)));
        File.WriteAllText(bench["config.json"], """{"epochs": 3, "seed": 7, "batch_size": 5}""");
        Assert.AreEqual(0, Search(bench, model, "out", "--data", data, "--config", bench["config.json"], "--epochs", "1").Code);
        var config = Json(bench["out/config.json"]);
        Assert.AreEqual((1, 7, 5, "mse"), ((int)config["epochs"]!, (int)config["seed"]!, (int)config["batch_size"]!, (string)config["loss"]!));
        Assert.Contains(",mse,", File.ReadAllText(bench["out/history.csv"]));
    }

    [TestMethod]
    [DataRow("1")]
    [DataRow("3")]
    [DataRow("8")]
    public void A_model_whose_batch_is_baked_in_is_searched_with_any_batch_size(string size)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", 4, 4);
        var turned = net.Op("Reshape", x, net.Graph.AddInitializer("turned", TensorData.Vector<long>(4, 2, 2)));
        var flat = net.Op("Reshape", net.LayerChoice("op", null, net.Op("Tanh", turned), net.Op("Softmax", turned)), net.Graph.AddInitializer("flat", TensorData.Vector<long>(4, -1)));
        var joined = net.InputChoice("inputs", 1, "sum", net.BatchNorm("bn", net.Linear("a", flat, 4, 4), 4), net.Op("Add", x, net.Constant("rows", [4, 4], _ => 0.5)));
        var model = bench.Save(net.Build((net.Linear("head", joined, 4, 2), [4, 2])));
        bench.SaveData("net.npz", Workbench.Samples(58));
        var (code, _, error) = Search(bench, model, "out", "--epochs", "1", "--batch-size", size);
        Assert.AreEqual(0, code, error);
        using var session = new OnnxSession(bench["out/best.onnx"]);
        Assert.AreEqual(("[N,4]", "[N,2]"), (session.Inputs[0].Shape!.ToString(), session.Outputs[0].Shape!.ToString()));
        foreach (var count in new[] { 1, 5 })
            Assert.AreEqual(count, session.Run(RandomInputs.For(session, 3, count))[0].Dims[0]);
    }

    [TestMethod]
    public void A_model_whose_batch_cannot_be_freed_is_searched_at_its_size_and_the_node_is_named_otherwise()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", 4, 4);
        var y = net.Op("CumSum", net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", x)), net.Graph.AddInitializer("axis", TensorData.Scalar(0L)));
        var model = bench.Save(net.Build((net.Linear("head", y, 4, 2), [4, 2])));
        // No part of 58 samples divides by four.
        bench.SaveData("net.npz", Workbench.Samples(58));
        bench.Refuses(1, "the batch stays 4: CumSum 'CumSum': it mixes the samples", "search", model, "-o", bench["out"], "--epochs", "1");
        var (code, _, error) = Search(bench, model, "out", "--epochs", "1", "--batch-size", "4");
        Assert.AreEqual(0, code, error);
    }

    [TestMethod]
    public void A_float64_model_is_searched()
    {
        using var bench = new Workbench();
        var net = new NetBuilder(1, ElementType.Float64);
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var y = net.InputChoice("i", 2, "sum", net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", x)), x, net.Op("Sigmoid", x));
        var model = bench.Save(net.Build((net.Linear("head", y, 4, 2), [Dim.Symbol("N"), 2])));
        bench.SaveData("net.npz", Workbench.Samples());
        var (code, _, error) = Search(bench, model, "out", "--epochs", "1");
        Assert.AreEqual(0, code, error);
    }

    [TestMethod]
    public void A_dry_run_checks_everything_says_what_would_be_done_and_writes_nothing()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var before = bench.Listing;
        var (code, output, error) = Search(bench, model, "out", "--dry-run", "--epochs", "3");
        Assert.AreEqual((0, ""), (code, error));
        foreach (var text in new[] { "9 architectures", "darts", "3 epochs", "24 + 24", "12" })
            Assert.Contains(text, output);
        // 24 samples in one batch, so 3 steps.
        Assert.Contains("3 steps with --arch-lr 0.0003 move the architecture by 0.0009 at most", output);
        Assert.Contains("--arch-lr 2 gives", output);
        Assert.DoesNotContain("Note", Search(bench, model, "out", "--dry-run", "--epochs", "3", "--arch-lr", "1").Output);
        Assert.DoesNotContain("Note", Search(bench, model, "out", "--dry-run", "--epochs", "3", "--strategy", "spos").Output);
        CollectionAssert.AreEqual(before, bench.Listing);
        bench.Refuses(2, "no strategy 'dart'", "search", model, "-o", bench["out"], "--dry-run", "--strategy", "dart");
        bench.Refuses(2, "cuda", "search", model, "-o", bench["out"], "--dry-run", "--device", "cuda");
        bench.Refuses(1, "concatenates", "search", Concatenating(bench), "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
    }

    [TestMethod]
    [DataRow("4096"), DataRow("2147483647")]
    public void Threads_beyond_the_cores_are_not_started(string threads)
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        File.WriteAllText(bench["config.json"], $$"""{"threads": {{threads}}}""");
        foreach (string[] more in new string[][] { ["--threads", threads], ["--config", bench["config.json"]], ["--threads", threads, "--dry-run"] })
        {
            var (code, _, error) = Workbench.Run(["search", model, "-o", bench["out"], "--force", "--epochs", "1", "--retrain-epochs", "0", .. more]);
            Assert.AreEqual(0, code, error);
            Assert.Contains($"--threads is {threads}, and this machine has {Environment.ProcessorCount} cores", error);
        }

        Assert.Contains($"\"threads\": {Environment.ProcessorCount},", File.ReadAllText(bench["out/summary.json"]));
        Assert.DoesNotContain("--threads is", Workbench.Run("search", model, "-o", bench["out"], "--force", "--epochs", "1", "--retrain-epochs", "0", "--threads", $"{Environment.ProcessorCount}").Error);
    }

    [TestMethod]
    public void An_existing_folder_is_replaced_only_when_forced()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Assert.AreEqual(0, Search(bench, model, "out", "--epochs", "1").Code);
        bench.Refuses(2, "--force", "search", model, "-o", bench["out"], "--epochs", "1");
        var before = File.ReadAllBytes(bench["out/best.onnx"]);
        var (code, _, error) = Search(bench, model, "out", "--epochs", "1", "--seed", "9", "--force", "--verbose");
        Assert.AreEqual(0, code, error);
        Assert.IsFalse(before.SequenceEqual(File.ReadAllBytes(bench["out/best.onnx"])));
        CollectionAssert.AreEqual(Files, Directory.GetFiles(bench["out"]).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToArray());
    }

    [TestMethod]
    public void Even_forced_a_folder_that_holds_other_things_is_left_alone()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Directory.CreateDirectory(bench["mine"]);
        File.WriteAllText(bench["mine/thesis.txt"], "years of work");
        bench.Refuses(2, "thesis.txt", "search", model, "-o", bench["mine"], "--epochs", "1", "--force");
        bench.Refuses(2, "mine", "search", model, "-o", Path.GetDirectoryName(model)!, "--epochs", "1", "--force");
    }

    [TestMethod]
    public void A_failed_search_with_force_leaves_the_old_results()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Assert.AreEqual(0, Search(bench, model, "out", "--epochs", "1").Code);
        FailsWithoutTrace(bench, "lower --lr", "search", model, "-o", bench["out"], "--force", "--lr", "1e30", "--epochs", "2");
    }

    [TestMethod]
    public void A_loss_that_turns_NaN_says_at_which_step_and_what_to_try()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        FailsWithoutTrace(bench, "The rehearsal before the search failed at a training step: The loss became NaN at the validation after epoch 1, step 1", "search", model, "-o", bench["out"], "--lr", "1e30", "--batch-size", "8");
        // Only the last step's weights are bad: nothing is trained after them.
        FailsWithoutTrace(bench, "lower --lr", "search", model, "-o", bench["out"], "--lr", "1e38", "--grad-clip", "0", "--epochs", "1", "--batch-size", "24", "--retrain-epochs", "0");
    }

    [TestMethod]
    [DataRow("darts"), DataRow("darts", "--unrolled"), DataRow("enas", "--penalty-form", "multiply")]
    public void A_penalty_that_makes_the_loss_infinite_is_named_among_what_to_lower(string strategy, params string[] more)
    {
        using var bench = new Workbench();
        string[] args = ["search", bench.Classifier(), "-o", bench["out"], "--strategy", strategy, "--epochs", "1", "--batch-size", "8", .. more];
        FailsWithoutTrace(bench, "Try a lower --lr (now 0.025), a lower --penalty-weight (now 1E+300), a lower --grad-clip", [.. args, "--penalty-weight", "1e300"]);
        FailsWithoutTrace(bench, "Try a lower --lr (now 1E+30), a lower --grad-clip", [.. args, "--lr", "1e30"]);
    }

    [TestMethod]
    public void A_result_folder_that_cannot_be_made_is_told_before_any_training()
    {
        if (!Directory.Exists("/proc/self"))
            Assert.Inconclusive("There is no file system here that refuses root.");
        using var bench = new Workbench();
        bench.Refuses(2, "cannot be made", "search", bench.Classifier(), "-o", "/proc/onnxnas", "--epochs", "1");
    }

    [TestMethod]
    [DataRow("NaN"), DataRow("Infinity"), DataRow("-1"), DataRow("0"), DataRow("abc")]
    public void A_learning_rate_that_makes_no_sense_is_wrong_usage(string value)
    {
        using var bench = new Workbench();
        bench.Refuses(2, "--lr", "search", bench.Classifier(), "-o", bench["out"], $"--lr={value}");
    }

    [TestMethod]
    [DataRow("--top", "x", "a whole number."), DataRow("--seed", "abc", "a whole number."), DataRow("--max-skips", "1.5", "a whole number."), DataRow("--epochs", "1e3", "a whole number.")]
    [DataRow("--top", "99999999999", "between -2147483648 and 2147483647."), DataRow("--seed", "-2147483649", "between -2147483648 and 2147483647.")]
    [DataRow("--lr", "fast", "a number."), DataRow("--temperature", "0,5", "a number."), DataRow("--lr", "1,000", "a number.")]
    public void A_value_of_the_wrong_kind_is_wrong_usage(string option, string value, string expected)
    {
        using var bench = new Workbench();
        bench.Refuses(2, $"error: {option} is {value}; it must be {expected} See 'onnxnas search --help'.", "search", bench.Classifier(), "-o", bench["out"], $"{option}={value}");
    }

    [TestMethod]
    public void Every_setting_out_of_range_is_wrong_usage()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (var (option, value) in new[]
        {
            ("--epochs", "0"), ("--batch-size", "0"), ("--min-lr", "1"), ("--momentum", "1"), ("--weight-decay", "-1"), ("--weight-decay", "Infinity"), ("--grad-clip", "-1"),
            ("--grad-clip", "NaN"), ("--arch-lr", "Infinity"), ("--arch-weight-decay", "-1"), ("--retrain-epochs", "-1"), ("--test-fraction", "1"), ("--valid-fraction", "0"), ("--threads", "-1"), ("--init", "magic"), ("--device", "tpu"),
            ("--schedule", "linear"), ("--step-epochs", "0"), ("--step-factor", "0"), ("--step-factor", "1.5"), ("--label-smoothing", "1"), ("--label-smoothing", "-0.1"), ("--ema", "1"), ("--ema", "NaN"),
        })
        {
            bench.Refuses(2, option, "search", model, "-o", bench["out"], $"{option}={value}");
        }

        bench.Refuses(2, "--nonsense", "search", model, "--nonsense", "1");
        bench.Refuses(2, "no loss 'hinge'", "search", model, "-o", bench["out"], "--loss", "hinge");
        bench.Refuses(1, "only cross-entropy has labels to smooth", "search", model, "-o", bench["out"], "--loss", "mse", "--label-smoothing", "0.1", "--data", bench.SaveData("numbers.npz", ("x", TestTensors.Normal(5, 60, 4)), ("y", TestTensors.Normal(6, 60, 2))));
    }

    [TestMethod]
    [DataRow("{\"epoch\": 3}", "'epoch'"), DataRow("{\"epochs\": \"many\"}", "$.epochs"), DataRow("{\"epochs\": 2.5}", "$.epochs"), DataRow("{\"epochs\": null}", "epochs")]
    [DataRow("{\"strategy\": null}", "strategy"), DataRow("{\"init\": null}", "init"), DataRow("{\"device\": null}", "device"), DataRow("[1]", "no JSON object"), DataRow("{", "JSON"), DataRow("{\"epochs\": 1, \"epochs\": 2}", "epochs"), DataRow("", "JSON")]
    public void A_settings_file_that_makes_no_sense_is_wrong_usage(string text, string because)
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        File.WriteAllText(bench["config.json"], text);
        bench.Refuses(2, because, "search", model, "-o", bench["out"], "--config", bench["config.json"]);
    }

    [TestMethod]
    public void A_settings_file_that_is_absent_is_wrong_usage()
    {
        using var bench = new Workbench();
        bench.Refuses(2, "nowhere.json", "search", bench.Classifier(), "-o", bench["out"], "--config", bench["nowhere.json"]);
    }

    private static string Concatenating(Workbench bench)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        return bench.Save(net.Build((net.Linear("head", net.InputChoice("i", 2, "concat", x, net.Op("Tanh", x), net.Op("Relu", x)), 8, 2), [Dim.Symbol("N"), 2])), "concat.onnx");
    }

    // As Refuses, but lines of progress may come before the error.
    private static void FailsWithoutTrace(Workbench bench, string because, params string[] args)
    {
        var before = bench.Listing;
        var (code, output, error) = Workbench.Run(args);
        Assert.AreEqual(1, code, error);
        Assert.AreEqual("", output);
        var last = error.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("error: ", last);
        Assert.Contains(because, last);
        CollectionAssert.AreEqual(before, bench.Listing);
    }

    private static (int Code, string Output, string Error) Search(Workbench bench, string model, string output, params string[] options) =>
        Workbench.Run(["search", model, "-o", bench[output], "--threads", "1", .. options]);

    private static JsonObject Json(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    private static string[] Timeless(string path) => [.. File.ReadAllLines(path).Select(l => l[..l.LastIndexOf(',')])];
}
