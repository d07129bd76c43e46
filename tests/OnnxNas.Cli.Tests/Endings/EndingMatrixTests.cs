using System.Globalization;
using System.Text.Json.Nodes;
using OnnxNas.Evaluation;
using OnnxNas.Ir;

namespace OnnxNas.Cli.Tests.Endings;

/// <summary>
/// Searches small models of every ending, head, label layout and several opsets for two epochs, and computes loss and metric of the file that comes out
/// from the values that ONNX Runtime gives for it.
/// </summary>
[TestClass]
public sealed class EndingMatrixTests
{
    private const int Count = 48;

    public static IEnumerable<object[]> Rows => EndingCase.All.Select(row => new object[] { row });

    [TestMethod]
    public void The_table_has_every_pair_of_ending_head_and_layout()
    {
        var rows = EndingCase.All;
        Assert.IsGreaterThanOrEqualTo(60, rows.Count);
        Assert.HasCount(rows.Count, rows.Distinct());
        Assert.HasCount(24, rows.Select(r => (r.Ending, r.Head)).Distinct());
        Assert.HasCount(6, rows.Select(r => r.Labels).Distinct());
        var classes = rows.Where(r => !r.IsBinary).ToList();
        Assert.HasCount(20, classes.Select(r => (r.Head, r.Labels)).Distinct());
        Assert.HasCount(25, classes.Select(r => (r.Ending, r.Labels)).Distinct());
    }

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Loss_and_metric_are_those_of_the_file(EndingCase row)
    {
        using var bench = new Workbench();
        var model = bench.Save(EndingModel.Build(row));
        var (train, valid, test) = (EndingData.Make(row, Count, 1), EndingData.Make(row, Count, 2), EndingData.Make(row, Count, 3));
        foreach (var (name, data) in new[] { ("net", train), ("valid", valid), ("test", test) })
            bench.SaveData($"{name}.npz", ("x", data.X), ("label", data.Label));
        // Rows that sum to 1 may also be values to regress on, where nothing in the model says that its output is a distribution.
        string[] asked = row.Labels == LabelLayout.Soft && row.Ending is (Ending.Logits or Ending.ArgMaxBeside) ? ["--loss", "cross-entropy"] : [];
        var (code, _, error) = Workbench.Run([
            "search", model, .. asked, "--valid", bench["valid.npz"], "--test", bench["test.npz"], "-o", bench["out"],
            "--epochs", "2", "--retrain-epochs", "0", "--finalist-epochs", "0", "--batch-size", "16", "--lr", "0.1", "--threads", "1"]);
        Assert.AreEqual(0, code, $"{row}: {error}");

        var (before, _) = Score(row, File.ReadAllBytes(model), valid);
        var best = File.ReadAllBytes(bench["out/best.onnx"]);
        var (loss, validMetric) = Score(row, best, valid);
        var (_, testMetric) = Score(row, best, test);
        var metrics = JsonNode.Parse(File.ReadAllText(bench["out/summary.json"]))!["metrics"]!;
        Assert.AreEqual("accuracy", (string)metrics["name"]!, $"{row}");
        Assert.AreEqual(validMetric, (double)metrics["valid"]!, 1e-9, $"{row}: valid");
        Assert.AreEqual(validMetric, (double)metrics["supernet_valid"]!, 1e-9, $"{row}: supernet");
        Assert.AreEqual(testMetric, (double)metrics["test"]!, 1e-9, $"{row}: test");
        Assert.AreEqual(loss, ReportedLoss(bench["out/history.csv"]), 1e-4 * (1 + loss), $"{row}: loss");
        Assert.IsLessThan(before, loss, $"{row}: two epochs of training");
    }

    // The loss on the validation samples after the second epoch of the search.
    private static double ReportedLoss(string history)
    {
        var rows = File.ReadAllLines(history);
        var column = Array.IndexOf(rows[0].Split(','), "valid_loss");
        return double.Parse(rows.Single(r => r.StartsWith("search,2,", StringComparison.Ordinal)).Split(',')[column], CultureInfo.InvariantCulture);
    }

    // Mean of −Σ t·ln p over all positions, and the share of positions where the likeliest class is that of the label.
    private static (double Loss, double Accuracy) Score(EndingCase row, byte[] model, EndingData data)
    {
        using var session = new OnnxSession(Oracle(model));
        var output = session.Outputs[row.Ending == Ending.ArgMaxBeside ? 1 : 0].Name;
        var values = session.Run(new Dictionary<string, TensorData> { ["x"] = data.X }, [output])[0];
        var (classes, numbers) = (EndingModel.Classes(row), values.ToDoubles());
        var positions = row.Head == Head.Gemm ? 1 : EndingModel.Positions;
        var (loss, hits) = (0.0, 0);
        for (var p = 0; p < data.Targets.Length; p++)
        {
            var at = Enumerable.Range(0, classes).Select(c => numbers[row.Head == Head.Conv ? (p / positions * classes + c) * positions + p % positions : p * classes + c]).ToArray();
            var target = data.Targets[p];
            loss -= LogProbabilities(row, at).Zip(row.IsBinary ? [1 - target[0], target[0]] : target, (l, t) => t * l).Sum();
            hits += row.IsBinary ? at[0] > 0.5 == target[0] > 0.5 ? 1 : 0 : Array.IndexOf(at, at.Max()) == Array.IndexOf(target, target.Max()) ? 1 : 0;
        }

        return (loss / data.Targets.Length, (double)hits / data.Targets.Length);
    }

    // What the file's output says of each class.
    private static double[] LogProbabilities(EndingCase row, double[] values) => row.Ending switch
    {
        Ending.Sigmoid => [Math.Log(1 - values[0]), Math.Log(values[0])],
        Ending.LogSoftmax => values,
        Ending.Softmax or Ending.Several => [.. values.Select(v => Math.Log(v))],
        _ => [.. values.Select(v => v - values.Max() - Math.Log(values.Sum(w => Math.Exp(w - values.Max()))))],
    };

    // The marked file runs as it is once it is stamped.
    private static byte[] Oracle(byte[] model)
    {
        var read = Ir.Serialization.OnnxFile.Read(model);
        if (read.Graph.Nodes.Any(n => n.Domain == "org.onnxnas"))
            Search.Choices.MarkerFunctions.Stamp(read);
        return Ir.Serialization.OnnxFile.ToBytes(read);
    }
}
