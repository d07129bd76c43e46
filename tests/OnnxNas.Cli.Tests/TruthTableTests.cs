using OnnxNas.Benchmarks;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

[TestClass]
public sealed class TruthTableTests
{
    private static readonly string Kept = Path.Combine(RepositoryFiles.Root, "tests", "OnnxNas.Benchmarks", "Data", "nb201-hard-125.csv");

    [TestMethod]
    public void The_kept_table_holds_125_different_architectures_with_an_accuracy_from_each_of_two_seeds()
    {
        var table = TruthTable.Read(Kept);
        Assert.HasCount(125, table.Rows);
        Assert.HasCount(125, table.Rows.Select(r => r.Architecture).Distinct().ToList());
        foreach (var row in table.Rows)
        {
            Assert.HasCount(2, row.Scores);
            Assert.IsTrue(row.Scores.All(s => s is >= 0 and <= 1), row.Architecture);
        }
    }

    [TestMethod]
    public void The_kept_tables_means_and_ranks_follow_from_its_accuracies() =>
        Assert.AreEqual(File.ReadAllText(Kept).ReplaceLineEndings("\n"), TruthTable.Read(Kept).ToString());

    [TestMethod]
    public void The_kept_table_answers_for_every_architecture_of_the_model()
    {
        var table = TruthTable.Read(Kept);
        var space = MarkedModel.Read(RepositoryFiles.Shared("models", "nb201-hard-125.onnx")).Space;
        Assert.AreEqual(table.Rows.Count, (int)space.Size.Exact!.Value);
        var found = new HashSet<TruthRow>();
        foreach (var a in space["a"].Candidates.Index())
            foreach (var b in space["b"].Candidates.Index())
                foreach (var c in space["c"].Candidates.Index())
                    found.Add(table.Find(new(space, new Dictionary<string, IReadOnlyList<int>> { ["a"] = [a.Index], ["b"] = [b.Index], ["c"] = [c.Index] }))!);
        Assert.HasCount(table.Rows.Count, found);
        Assert.IsTrue(found.All(r => r is not null));
    }

    [TestMethod]
    public void A_rank_counts_the_better_ones_and_a_percentile_is_their_share()
    {
        var table = new TruthTable(["a"], 2);
        table.Add(new("a=w", [0.5, 0.7]));
        table.Add(new("a=x", [0.9, 0.9]));
        table.Add(new("a=y", [0.7, 0.5]));
        table.Add(new("a=z", [0.1, 0.1]));
        CollectionAssert.AreEqual(new[] { 2, 1, 2, 4 }, table.Rows.Select(table.Rank).ToArray());
        CollectionAssert.AreEqual(new[] { 0.25, 0, 0.25, 0.75 }, table.Rows.Select(table.Percentile).ToArray());
        Assert.AreEqual(0.9, table.Best);
    }

    [TestMethod]
    public void A_file_that_is_no_table_is_refused()
    {
        using var folder = new TemporaryFolder();
        foreach (var text in new[] { "", "a,b\n", "a,seed_0,mean\n", "a,seed_0,mean,rank\nx,0.5,0.5\n", "a,seed_0,mean,rank\nx,0.5,0.5,1\nx,0.5,0.5,1\n" })
        {
            File.WriteAllText(folder.File("table.csv"), text);
            Assert.ThrowsExactly<DataException>(() => TruthTable.Read(folder.File("table.csv")), text);
        }
    }
}
