using OnnxNas.Benchmarks;

namespace OnnxNas.Cli.Tests;

[TestClass]
public sealed class ResumeCheckTests
{
    [TestMethod]
    public void The_check_kills_searches_and_says_whether_they_end_the_same()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var console = Console.Out;
        using var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            Assert.AreEqual(0, ResumeCheck.Command().Parse([model, "--strategies", "darts", "--kills", "2", "--epochs", "5"]).Invoke());
        }
        finally
        {
            Console.SetOut(console);
        }

        var row = output.ToString().TrimEnd().Split('\n')[^1];
        Assert.StartsWith("darts ", row);
        Assert.EndsWith("same", row);
    }
}
