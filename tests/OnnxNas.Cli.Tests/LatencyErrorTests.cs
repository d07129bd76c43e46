using OnnxNas.Benchmarks;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

[TestClass]
public sealed class LatencyErrorTests
{
    [TestMethod]
    public void The_benchmark_of_latency_prints_a_prediction_beside_each_measurement()
    {
        var output = new StringWriter();
        LatencyError.Run(RepositoryFiles.Shared("models", "nested.onnx"), count: 2, threads: 1, seed: 1, output);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.HasCount(5, lines);
        StringAssert.Contains(lines[2], "stem=");
        StringAssert.Contains(lines[^1], "median");
    }
}
