using System.Diagnostics;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Standard output and standard error that take nothing: a full disk, a stream that is closed, a terminal that is gone.</summary>
[TestClass]
public sealed class UnwritableStreamTests
{
    private static readonly string[] Settings = ["--epochs", "2", "--retrain-epochs", "1", "--batch-size", "8", "--threads", "1"];

    [TestMethod]
    public void Progress_that_cannot_be_written_costs_nothing()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var output = new StringWriter();
        Assert.AreEqual(0, CommandLine.Run(["search", model, "-o", bench["out"], .. Settings], output, new FullWriter()));
        Assert.Contains("best.onnx", output.ToString());
        Assert.IsTrue(File.Exists(bench["out/best.onnx"]));
        Assert.IsFalse(Directory.Exists(bench["out.checkpoint"]));
    }

    [TestMethod]
    public void An_error_that_cannot_be_written_still_has_its_exit_code()
    {
        using var bench = new Workbench();
        Assert.AreEqual(1, CommandLine.Run(["inspect", bench["absent.onnx"]], new StringWriter(), new FullWriter()));
        Assert.AreEqual(1, CommandLine.Run(["inspect", bench["absent.onnx"], "--verbose"], new StringWriter(), new FullWriter()));
        Assert.AreEqual(2, CommandLine.Run(["nonsense"], new StringWriter(), new FullWriter()));
    }

    [TestMethod]
    public void A_report_that_cannot_be_written_is_an_error_and_the_results_are_in_place()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (string[] json in new string[][] { [], ["--json"] })
        {
            var error = new StringWriter();
            Assert.AreEqual(1, CommandLine.Run(["search", model, "-o", bench["out"], "--force", .. Settings, .. json], new FullWriter(), error));
            var last = error.ToString().TrimEnd().Split('\n')[^1];
            Assert.Contains("error: The report cannot be written to standard output: full. The search is done, and its results are in", last);
            Assert.IsTrue(File.Exists(bench["out/best.onnx"]));
            Assert.IsFalse(Directory.Exists(bench["out.checkpoint"]));
        }

        foreach (string[] args in new string[][] { ["inspect", model], ["inspect", model, "--json"], ["verify", model], ["--help"] })
        {
            var error = new StringWriter();
            Assert.AreEqual(1, CommandLine.Run(args, new FullWriter(), error));
            Assert.StartsWith("error: The report cannot be written to standard output: full.", error.ToString());
        }
    }

    [TestMethod]
    [DataRow("2>/dev/full", 0), DataRow("2>&-", 0), DataRow(">/dev/full", 1), DataRow(">/dev/full 2>/dev/full", 1), DataRow("<&- 2>&-", 0)]
    public void A_process_whose_streams_fail_ends_by_itself(string streams, int expected)
    {
        if (!File.Exists("/dev/full"))
            Assert.Inconclusive("There is no device here that is always full.");
        using var bench = new Workbench();
        var model = bench.Classifier();
        var command = $"exec dotnet '{Path.Combine(AppContext.BaseDirectory, "onnxnas.dll")}' search '{model}' -o '{bench["out"]}' {string.Join(' ', Settings)} {streams}";
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        Assert.AreEqual(expected, process.ExitCode, output.Result + error.Result);
        Assert.IsTrue(File.Exists(bench["out/best.onnx"]));
        Assert.IsFalse(Directory.Exists(bench["out.checkpoint"]));
        Assert.AreEqual(0, Workbench.Run("verify", bench["out/best.onnx"]).Code);
    }

    private sealed class FullWriter : TextWriter
    {
        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;

        public override void Write(char value) => throw new IOException("full.");
    }
}
