namespace OnnxNas.Cli.Tests.Reports;

[TestClass]
public sealed class SearchProgressTests
{
    [TestMethod]
    [DataRow("spos", "evolution 1/4 scored", "--population", "2", "--generations", "2", "--top", "1")]
    [DataRow("enas", "samples 2/2 scored", "--samples", "2", "--top", "1")]
    [DataRow("darts", "finalists 2/3 scored", "--top", "3", "--finalist-epochs", "0")]
    public void Architectures_that_are_scored_after_training_are_counted(string strategy, string line, params string[] more)
    {
        using var bench = new Workbench();
        string[] search = ["search", bench.Classifier(), "-o", bench["out"], "--strategy", strategy, "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8"];
        var (code, _, error) = Workbench.Run([.. search, .. more]);
        Assert.AreEqual(0, code, error);
        Assert.Contains(line + "\n", error.ReplaceLineEndings("\n"));
    }

    [TestMethod]
    public void Long_evolution_tells_a_tenth_at_a_time()
    {
        var error = new StringWriter();
        var progress = new Cli.Reports.SearchProgress(error, "accuracy", new());
        for (var i = 1; i <= 50; i++)
            progress.Scored("evolution", i, 50);
        Assert.AreEqual("evolution 5/50 scored", error.ToString().ReplaceLineEndings("\n").Split('\n')[0]);
        Assert.AreEqual(10, error.ToString().Count(c => c == '\n'));
    }
}
