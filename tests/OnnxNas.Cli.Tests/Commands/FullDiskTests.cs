using System.Diagnostics;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>A limit on the size of files stands for a disk that is full: what is written past it fails.</summary>
[TestClass]
public sealed class FullDiskTests
{
    [TestMethod]
    [DataRow(0), DataRow(1), DataRow(4), DataRow(8)]
    public void What_cannot_be_written_is_one_line_and_leaves_results_as_they_were(int blocks)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Limits are set by a shell.");
        using var bench = new Workbench();
        var model = bench.Classifier();
        string[] settings = ["--epochs", "3", "--retrain-epochs", "1", "--batch-size", "8", "--threads", "1"];
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["out"], .. settings]).Code);
        var before = bench.Listing;
        // The signal that usually goes with it would end the process; the runtime maps a file for its own code unless told not to.
        var command = $"trap '' XFSZ; ulimit -f {blocks}; DOTNET_EnableWriteXorExecute=0 exec dotnet '{Path.Combine(AppContext.BaseDirectory, "onnxnas.dll")}' search '{model}' -o '{bench["out"]}' --force {string.Join(' ', settings)}";
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        Assert.AreEqual(1, process.ExitCode, output.Result + error.Result);
        Assert.AreEqual("", output.Result);
        Assert.AreEqual(1, error.Result.Split('\n').Count(l => l.StartsWith("error: ", StringComparison.Ordinal)), error.Result);
        Assert.DoesNotContain("fault of the tool", error.Result);
        CollectionAssert.AreEqual(before, bench.Listing.Where(l => !l.Contains("out.checkpoint", StringComparison.Ordinal)).ToArray(), error.Result);
    }
}
