using OnnxNas.Benchmarks;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Demo;

[TestClass]
public sealed class BaselineTests
{
    [TestMethod]
    public void The_baseline_prints_random_architectures_and_the_search_side_by_side()
    {
        var console = Console.Out;
        using var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            var model = Path.Combine(RepositoryFiles.Root, "models", "shapes.onnx");
            Assert.AreEqual(0, Baseline.Command().Parse([model, "--count", "1", "--epochs", "1"]).Invoke());
        }
        finally
        {
            Console.SetOut(console);
        }

        foreach (var row in new[] { "random 1 ", "random, mean", "winner, alone", "search " })
            Assert.Contains(row, output.ToString());
    }
}
