using OnnxNas.Benchmarks;
using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

[TestClass]
public sealed class CompareTests
{
    private static readonly SearchOptions Options = new() { Epochs = 1, Threads = 1, ArchLr = 0.01 };

    [TestMethod]
    public void A_table_begun_before_is_finished_and_what_it_holds_stays()
    {
        using var bench = new Workbench();
        var file = bench["table.csv"];
        var begun = new TruthTable(["first", "second"], 1);
        begun.Add(new("first=tanh second=relu", [0.123]));
        begun.Write(file);
        Truth.Run(TwoChoices(bench), Options, 1, file, TextWriter.Null);
        var table = TruthTable.Read(file);
        Assert.HasCount(4, table.Rows);
        Assert.AreEqual(0.123, table.Rows[0].Mean);
        Assert.IsTrue(table.Rows.Skip(1).All(r => r.Mean is > 0.123 and <= 1), table.ToString());
    }

    [TestMethod]
    public void Every_search_is_a_line_that_says_where_its_result_stands()
    {
        using var bench = new Workbench();
        var model = TwoChoices(bench);
        var table = new TruthTable(["first", "second"], 1);
        foreach (var (i, architecture) in new[] { "first=linear second=linear", "first=linear second=relu", "first=tanh second=linear", "first=tanh second=relu" }.Index())
            table.Add(new(architecture, [0.5 + i / 10.0]));
        var output = new StringWriter();
        Compare.Run(model, table, ["darts"], [0, 1], _ => Options, bench["runs.csv"], output);
        var lines = File.ReadAllLines(bench["runs.csv"]);
        Assert.HasCount(3, lines);
        foreach (var run in lines.Skip(1).Select(ComparedRun.Parse))
        {
            var row = table.Rows.Single(r => r.Architecture == run.Architecture);
            Assert.AreEqual(0.8 - row.Mean, run.Regret, 1e-9);
            Assert.AreEqual(run.Regret / 0.4, run.Better, 1e-9);
            Assert.AreEqual(1 + 4 * 2, run.Epochs, "One of the search, and two of each finalist.");
            Assert.AreEqual("epochs=1 arch_lr=0.01", run.Settings);
        }

        // Again, with another seed: only that one is searched.
        var again = new StringWriter();
        Compare.Run(model, table, ["darts"], [0, 1, 2], _ => Options, bench["runs.csv"], again);
        CollectionAssert.AreEqual(lines, File.ReadAllLines(bench["runs.csv"])[..3]);
        Assert.HasCount(4, File.ReadAllLines(bench["runs.csv"]));
        Assert.StartsWith("darts        mean", again.ToString().Split('\n')[^2]);
    }

    private static string TwoChoices(Workbench bench)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var first = net.LayerChoice("first", ["linear", "tanh"], net.Linear("a", x, 4, 4), net.Op("Tanh", x));
        var second = net.LayerChoice("second", ["linear", "relu"], net.Linear("b", first, 4, 4), net.Op("Relu", first));
        bench.SaveData("net.npz", Workbench.Samples());
        return bench.Save(net.Build((net.Linear("head", second, 4, 2), [Dim.Symbol("N"), 2])));
    }
}
