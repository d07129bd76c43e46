using System.Diagnostics;
using System.Globalization;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Searches in a process of their own, stopped from outside and gone on with.</summary>
[TestClass]
public sealed class ResumeTests
{
    private static readonly string[] Settings = ["--epochs", "100", "--retrain-epochs", "20", "--batch-size", "8", "--threads", "1", "--arch-lr", "0.01"];

    [TestMethod]
    [DataRow("TERM", "search 3/"), DataRow("INT", "search 40/"), DataRow("TERM", "retrain 2/"), DataRow("KILL", "search 3/"), DataRow("KILL", "retrain 2/")]
    public void A_search_stopped_by_a_signal_and_resumed_leaves_the_files_of_one_that_was_not(string signal, string at)
    {
        if (signal == "INT" && IsInterruptIgnored())
            Assert.Inconclusive("SIGINT is ignored where the tests run.");
        using var bench = new Workbench();
        var model = bench.Classifier();
        var (code, error) = Stopped(bench, model, signal, at);
        Assert.AreEqual(signal == "KILL" ? 137 : 130, code, error);
        var hint = $"interrupted: go on with 'onnxnas search {model} --resume";
        Assert.AreEqual(signal != "KILL", error.Contains(hint, StringComparison.Ordinal), error);
        Assert.IsFalse(Directory.Exists(bench["out"]));

        bench.Refuses(2, "was interrupted. Go on with --resume", ["search", model, "-o", bench["out"]]);
        var (resumed, _, message) = Workbench.Run("search", model, "--resume", bench["out"]);
        Assert.AreEqual(0, resumed, message);
        Assert.StartsWith("resumed: ", message);
        RequireSame(bench, model);
    }

    // What a shell starts in the background ignores it, and so do that one's children.
    private static bool IsInterruptIgnored() => File.Exists("/proc/self/status") &&
        (Convert.ToInt64(File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim(), 16) & 2) != 0;

    [TestMethod]
    public void A_search_goes_on_only_as_what_it_was()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Stopped(bench, model, "TERM", "search 2/");
        var name = bench["out.checkpoint"];
        string[] resume = ["search", model, "--resume", name];
        bench.Refuses(2, "epochs 7 contradicts the search that is resumed, which has 100", [.. resume, "--epochs", "7"]);
        bench.Refuses(2, "init scratch contradicts", [.. resume, "--init", "scratch"]);
        bench.Refuses(2, $"-o {bench["other"]} contradicts", [.. resume, "-o", bench["other"]]);
        File.WriteAllText(bench["config.json"], """{"lr": 0.5}""");
        bench.Refuses(2, "lr 0.5 contradicts", [.. resume, "--config", bench["config.json"]]);
        bench.Refuses(1, "There is no checkpoint in", "search", model, "--resume", bench["elsewhere"]);

        File.Copy(model, bench["moved.onnx"]);
        bench.Refuses(2, "There is no data", "search", bench["moved.onnx"], "--resume", name);
        var other = bench.SaveData("other.npz", Workbench.Samples(61));
        bench.Refuses(1, $"'{other}' is not the data that the checkpoint", [.. resume, "--data", other]);
        bench.Refuses(1, $"'{other}' is not the valid that the checkpoint", [.. resume, "--valid", other]);
        var changed = OnnxFile.Read(model);
        changed.ProducerName = "another";
        bench.Save(changed, "changed.onnx");
        bench.Refuses(1, $"'{bench["changed.onnx"]}' is not the model that the checkpoint", "search", bench["changed.onnx"], "--resume", name, "--data", bench["net.npz"]);

        // The same files in another place, and settings that say the same.
        File.Move(bench["net.npz"], bench["moved.npz"]);
        var (code, _, error) = Workbench.Run("search", bench["moved.onnx"], "--resume", name, "--epochs", "100", "--arch-lr", "1e-2", "-o", bench["out"]);
        Assert.AreEqual(0, code, error);
    }

    [TestMethod]
    public void A_damaged_checkpoint_is_refused_and_force_starts_anew()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Stopped(bench, model, "KILL", "search 2/");
        // Two where the search was killed before it deleted the state before.
        foreach (var file in Directory.GetFiles(bench["out.checkpoint"], "*.safetensors"))
            File.Delete(file);
        bench.Refuses(1, "which is missing", "search", model, "--resume", bench["out"]);
        var (code, _, error) = Workbench.Run(["search", model, "-o", bench["out"], "--force", .. Settings]);
        Assert.AreEqual(0, code, error);
        Assert.DoesNotContain("resumed", error);
        RequireSame(bench, model);
    }

    [TestMethod]
    public void A_search_killed_when_its_results_were_in_place_has_nothing_left_to_do()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Stopped(bench, model, "KILL", "retrain 19/");
        var kept = bench["kept"];
        Directory.Move(bench["out.checkpoint"], kept);
        // Results of another search are not taken for those of this one.
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["out"], .. Settings, "--seed", "8"]).Code);
        Directory.Move(kept, bench["out.checkpoint"]);
        bench.Refuses(2, "exists already", "search", model, "--resume", bench["out"]);
        Directory.Move(bench["out.checkpoint"], kept);
        Directory.Delete(bench["out"], recursive: true);

        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["out"], .. Settings]).Code);
        Directory.Move(kept, bench["out.checkpoint"]);
        var time = Directory.GetLastWriteTimeUtc(bench["out"]);
        var (code, output, error) = Workbench.Run("search", model, "--resume", bench["out"]);
        Assert.AreEqual(0, code, error);
        Assert.Contains("already", output);
        Assert.AreEqual(time, Directory.GetLastWriteTimeUtc(bench["out"]));
        Assert.IsFalse(Directory.Exists(bench["out.checkpoint"]));
    }

    [TestMethod]
    public void A_search_that_is_finished_has_nothing_to_resume()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Assert.AreEqual(0, Workbench.Run("search", model, "-o", bench["out"], "--epochs", "1", "--retrain-epochs", "0", "--top", "1", "--threads", "1").Code);
        bench.Refuses(1, "out' is finished, and there is nothing to resume", "search", model, "--resume", bench["out"]);
        bench.Refuses(1, "out' is finished, and there is nothing to resume", "search", model, "--resume", bench["out.checkpoint"]);
        File.Delete(bench["out/best.onnx"]);
        bench.Refuses(1, "There is no checkpoint in", "search", model, "--resume", bench["out"]);
    }

    [TestMethod]
    public void Results_that_were_to_be_replaced_are_replaced_by_the_resumed_search()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        Assert.AreEqual(0, Workbench.Run("search", model, "-o", bench["out"], "--epochs", "1", "--threads", "1").Code);
        Stopped(bench, model, "TERM", "search 2/", "--force");
        var (code, _, error) = Workbench.Run("search", model, "--resume", bench["out"]);
        Assert.AreEqual(0, code, error);
        RequireSame(bench, model);
    }

    [TestMethod]
    public void Latency_is_not_measured_anew_by_a_resumed_search()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        // Stopped with an empty cache, the undisturbed search with that cache, resumed with another empty one.
        bench.UseCache("cache");
        string[] costs = ["--cost", "latency", "--penalty-weight", "1"];
        Stopped(bench, model, "TERM", "search 3/", costs);
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["whole"], .. Settings, .. costs]).Code);
        bench.UseCache("other");
        var (code, _, error) = Workbench.Run("search", model, "--resume", bench["out"]);
        Assert.AreEqual(0, code, error);
        Assert.IsFalse(File.Exists(Path.Combine(bench["other"], "onnxnas", "latency.json")));

        CollectionAssert.AreEqual(File.ReadAllBytes(bench["whole/best.onnx"]), File.ReadAllBytes(bench["out/best.onnx"]));
        CollectionAssert.AreEqual(Timeless(bench["whole/history.csv"]), Timeless(bench["out/history.csv"]));
    }

    private static void RequireSame(Workbench bench, string model)
    {
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["whole"], .. Settings]).Code);
        foreach (var file in (string[])["best.onnx", "arch.json", "config.json"])
            CollectionAssert.AreEqual(File.ReadAllBytes(bench[$"whole/{file}"]), File.ReadAllBytes(bench[$"out/{file}"]), file);
        CollectionAssert.AreEqual(Timeless(bench["whole/history.csv"]), Timeless(bench["out/history.csv"]));
        Assert.IsEmpty(Directory.GetFileSystemEntries(bench["."]).Where(e => Path.GetFileName(e).StartsWith("out.", StringComparison.Ordinal)));
    }

    // Runs a search in a process of its own, and sends it a signal when a line of its progress begins with some text.
    private static (int Code, string Error) Stopped(Workbench bench, string model, string signal, string at, params string[] more)
    {
        if (OperatingSystem.IsWindows())
            Assert.Inconclusive("There are no signals on Windows.");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "onnxnas.dll"), "search", model, "-o", bench["out"], .. Settings, .. more])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = "";
        while (process.StandardError.ReadLine() is { } line)
        {
            error += line + "\n";
            if (!line.StartsWith(at, StringComparison.Ordinal))
                continue;
            using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }

        process.WaitForExit();
        Assert.Contains(at, error);
        return (process.ExitCode, error);
    }

    private static string[] Timeless(string path) => [.. File.ReadAllLines(path).Select(l => l[..l.LastIndexOf(',')])];
}
