using System.Diagnostics;
using System.Text.Json.Nodes;
using OnnxNas.Cli.Reports;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Two searches that meet, and checkpoints and settings of others.</summary>
[TestClass]
public sealed class NeighbourTests
{
    private static readonly string[] Settings = ["--epochs", "100", "--retrain-epochs", "20", "--batch-size", "8", "--threads", "1"];

    [TestMethod]
    public void A_place_is_one_searchs_until_that_ends()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        using var first = Start(model, [.. Settings, "-o", bench["out"]]);
        Await(first, "search 2/");
        foreach (string[] more in new string[][] { ["-o", bench["out"]], ["-o", bench["out"], "--force"], ["--resume", bench["out"]], ["-o", bench["out"], "--dry-run"] })
        {
            var (code, output, error) = Workbench.Run(["search", model, .. Settings, .. more]);
            Assert.AreEqual(1, code, error);
            Assert.AreEqual("", output);
            Assert.StartsWith("error: Another search is using", error);
            Assert.AreEqual(1, error.Count(c => c == '\n'), error);
        }

        Assert.AreEqual(0, Workbench.Run("search", model, "-o", bench["other"], "--epochs", "1", "--retrain-epochs", "0").Code);
        first.StandardError.ReadToEnd();
        first.WaitForExit();
        Assert.AreEqual(0, first.ExitCode);
        CollectionAssert.AreEquivalent((string[])["net.npz", "net.onnx", "other", "out"], Names(bench));
    }

    [TestMethod]
    public void Of_equal_searches_that_start_together_one_does_the_work()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var all = Enumerable.Range(0, 3).Select(_ => Start(model, "-o", bench["out"], "--epochs", "40", "--retrain-epochs", "0", "--batch-size", "8", "--threads", "1")).ToList();
        var errors = all.Select(p => p.StandardError.ReadToEndAsync()).ToList();
        foreach (var process in all)
            process.WaitForExit();
        Assert.AreEqual(1, all.Count(p => p.ExitCode == 0));
        foreach (var (process, error) in all.Zip(errors).Where(p => p.First.ExitCode != 0))
            Assert.IsTrue(error.Result.StartsWith("error: Another search is using", StringComparison.Ordinal) || error.Result.Contains("exists already", StringComparison.Ordinal), error.Result);
        CollectionAssert.AreEquivalent((string[])["net.npz", "net.onnx", "out"], Names(bench));
        all.ForEach(p => p.Dispose());
    }

    [TestMethod]
    public void A_refused_search_leaves_no_trace_and_locks_nothing()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        bench.Refuses(1, "absent", "search", bench["absent.onnx"], "-o", bench["out"]);
        using (SearchLock.Take(bench["out.checkpoint"]))
            bench.Refuses(1, "Another search is using", "search", model, "-o", bench["out"]);
        Assert.AreEqual(0, Workbench.Run("search", model, "-o", bench["out"], "--epochs", "1", "--retrain-epochs", "0").Code);
    }

    [TestMethod]
    public void Code_is_loaded_only_where_the_command_line_names_it()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        // Loading a library that is no library would fail, and say so.
        File.WriteAllText(bench["evil.dll"], "no library");
        foreach (var strategy in (string[])["darts", "Evil"])
        {
            File.WriteAllText(bench["config.json"], new JsonObject { ["plugin"] = bench["evil.dll"], ["strategy"] = strategy }.ToJsonString());
            foreach (string[] more in new string[][] { [], ["--dry-run"] })
                bench.Refuses(2, "names the plugin", ["search", model, "--config", bench["config.json"], "-o", bench["out"], .. more]);
        }

        var settings = JsonNode.Parse(JsonText.Of(new Search.SearchOptions { Plugin = bench["evil.dll"] }));
        CheckpointFolder.Create(bench["out.checkpoint"], new() { ["options"] = settings, ["replaces"] = false, ["sources"] = new JsonObject() }).Save(new());
        SearchLock.Take(bench["out.checkpoint"]).Dispose();
        foreach (string[] more in new string[][] { [], ["--dry-run"], ["--force"] })
            bench.Refuses(2, $"The checkpoint was made with the plugin '{bench["evil.dll"]}'", ["search", model, "--resume", bench["out"], .. more]);
        bench.Refuses(1, "cannot be loaded", "search", model, "--resume", bench["out"], "--plugin", bench["evil.dll"]);
    }

    private static Process Start(string model, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "onnxnas.dll"), "search", model, .. args])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static void Await(Process process, string line)
    {
        while (process.StandardError.ReadLine() is { } read)
        {
            if (read.StartsWith(line, StringComparison.Ordinal))
                return;
        }

        Assert.Fail($"The search never came to '{line}'.");
    }

    private static string[] Names(Workbench bench) => [.. Directory.GetFileSystemEntries(bench["."]).Select(e => Path.GetFileName(e)!)];
}
