using System.Text.Json.Nodes;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Whole searches of models that differ in their end alone: they train the same weights, and their files answer as they did.</summary>
[TestClass]
public sealed class ObjectiveTests
{
    private const int Features = 4;
    private const int Classes = 3;
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    [DataRow("Softmax", "darts"), DataRow("LogSoftmax", "gdas"), DataRow("Softmax of each candidate", "spos"), DataRow("ArgMax beside", "random"), DataRow("ArgMax", "darts"), DataRow("logits second", "proxyless")]
    public void The_same_weights_are_trained_as_without_the_end(string end, string strategy)
    {
        using var bench = new Workbench();
        var (x, classes) = (TestTensors.Normal(5, 90, Features), Labels(90, 5));
        bench.SaveData("data.npz", ("x", x), ("label", TensorData.Create<long>([90, 1], classes)));
        var (testX, testClasses) = (TestTensors.Normal(6, 50, Features), Labels(50, 6));
        bench.SaveData("test.npz", ("x", testX), ("label", TensorData.Create<long>([50, 1], testClasses)));
        var (plain, plainScores) = Search("logits");
        var (best, scores) = Search(end);

        var declared = Model(end).Graph.Outputs.Select(o => o.Name).ToArray();
        CollectionAssert.AreEqual(declared, best.Graph.Outputs.Select(o => o.Name).ToArray());
        foreach (var weight in plain.Graph.Initializers.Where(i => i.Initializer!.Type == ElementType.Float32))
            CollectionAssert.AreEqual(weight.Initializer!.ToDoubles(), best.Graph.Find(weight.Name)!.Initializer!.ToDoubles(), weight.Name);
        Assert.AreEqual((double)plainScores["test"]!, (double)scores["test"]!);
        Assert.AreEqual((double)plainScores["supernet_valid"]!, (double)scores["supernet_valid"]!);
        Assert.AreEqual((double)plainScores["valid"]!, (double)scores["valid"]!);

        // What the file answers, by ONNX Runtime alone.
        using var session = new OnnxSession(OnnxFile.ToBytes(best));
        var answer = session.Run(new Dictionary<string, TensorData> { ["x"] = testX })[0];
        var numbers = answer.ToDoubles();
        var hits = testClasses.Index().Count(c => (answer.Type == ElementType.Int64 ? (long)numbers[c.Index] : Enumerable.Range(0, Classes).MaxBy(k => numbers[c.Index * Classes + k])) == c.Item);
        Assert.AreEqual(hits / 50.0, (double)scores["test"]!, 1e-12);

        (Model Best, JsonObject Metrics) Search(string kind)
        {
            var model = bench.Save(Model(kind), "m.onnx");
            var (code, _, error) = Workbench.Run("search", model, "--data", bench["data.npz"], "--test", bench["test.npz"], "-o", bench[kind], "--strategy", strategy,
                "--epochs", "2", "--batch-size", "15", "--lr", "0.2", "--arch-lr", "0.1", "--threads", "1", "--population", "4", "--generations", "1", "--parents", "2");
            Assert.AreEqual(0, code, error);
            Assert.AreEqual(kind != "logits", error.Contains("understood: trained on", StringComparison.Ordinal) || error.Contains("; trained on", StringComparison.Ordinal), error);
            return (OnnxFile.Read(bench[kind + "/best.onnx"]), JsonNode.Parse(File.ReadAllText(bench[kind + "/summary.json"]))!["metrics"]!.AsObject());
        }
    }

    [TestMethod]
    public void The_output_that_was_chosen_is_kept_in_the_settings()
    {
        using var bench = new Workbench();
        bench.SaveData("m.npz", ("x", TestTensors.Normal(5, 90, Features)), ("label", TensorData.Vector<long>(Labels(90, 5))));
        var model = bench.Save(Model("ArgMax beside"), "m.onnx");
        bench.Refuses(2, "the outputs of the model are 'chosen', 'y'", "search", model, "-o", bench["out"], "--output", "z");
        bench.Refuses(2, "--class-axis", "search", model, "-o", bench["out"], "--class-axis", "0");
        var (code, _, error) = Workbench.Run("search", model, "-o", bench["out"], "--epochs", "1", "--batch-size", "15", "--output", "y", "--retrain-epochs", "0");
        Assert.AreEqual(0, code, error);
        Assert.AreEqual("y", (string)JsonNode.Parse(File.ReadAllText(bench["out/config.json"]))!["output"]!);
    }

    [TestMethod]
    public void A_dry_run_sees_what_training_would_stumble_on()
    {
        using var bench = new Workbench();
        var model = bench.Save(Model("Softmax"), "m.onnx");
        var x = TestTensors.Normal(5, 90, Features);
        foreach (var (labels, because) in new (TensorData, string)[]
        {
            (TestTensors.Int64s(1, 0, 3, 90, 7), "do not fit"),
            (TestTensors.Int64s(1, 1, 4, 90), "subtract 1"),
            (TestTensors.Normal(1, 90, 4), "the model's output [3] has 3"),
        })
        {
            bench.SaveData("m.npz", ("x", x), ("label", labels));
            bench.Refuses(1, because, "search", model, "-o", bench["out"], "--dry-run");
        }

        bench.SaveData("m.npz", ("x", x), ("label", TestTensors.Int64s(1, 0, 3, 90, 1)));
        var (code, _, error) = Workbench.Run("search", model, "-o", bench["out"], "--dry-run");
        Assert.AreEqual(0, code, error);
        Assert.Contains("understood: trained on 'z', in front of the final Softmax; labels: class numbers [90,1]", error);
    }

    [TestMethod]
    public void Inspect_says_how_each_output_ends()
    {
        using var bench = new Workbench();
        var (code, output, _) = Workbench.Run("inspect", bench.Save(Model("ArgMax beside"), "m.onnx"));
        Assert.AreEqual(0, code);
        Assert.Contains("end         chosen: class numbers, by ArgMax of classes along axis 1; a loss for classes is applied to 'z' in front of it", output);
        Assert.Contains("end         y: probabilities, by Softmax of classes along axis 1; a loss for classes is applied to 'z' in front of it", output);
    }

    private static long[] Labels(int count, long seed)
    {
        var x = TestTensors.Normal(seed, count, Features).ToDoubles();
        return [.. Enumerable.Range(0, count).Select(n => (long)Enumerable.Range(0, Classes).MaxBy(c => x[n * Features + c]))];
    }

    private static Model Model(string end)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, Features);
        var h = net.LayerChoice("op", null, net.BatchNorm("bn", net.Linear("a", x, Features, Features), Features), net.Op("Tanh", net.Linear("b", x, Features, Features)));
        var (first, second) = (net.Linear("head", h, Features, Classes), net.Linear("other", net.Op("Relu", h), Features, Classes));
        var z = end == "Softmax of each candidate" ? first : net.LayerChoice("end", null, first, second);
        if (z != first)
            net.Graph.Rename(z, "z");
        var y = end switch
        {
            "Softmax of each candidate" => net.LayerChoice("end", null, net.Op("Softmax", first), net.Op("Softmax", second)),
            "LogSoftmax" => net.Op("LogSoftmax", z),
            "logits" => z,
            _ => net.Op("Softmax", z),
        };
        if (y != z)
            net.Graph.Rename(y, "y");
        if (!end.StartsWith("ArgMax", StringComparison.Ordinal))
            return end == "logits second" ? net.Build((y, [N, Classes]), (z, [N, Classes])) : net.Build((y, [N, Classes]));
        var chosen = net.Op("ArgMax", [end == "ArgMax" ? z : y], Attr.Of("axis", 1L), Attr.Of("keepdims", 0L));
        net.Graph.Rename(chosen, "chosen");
        chosen.Type = new TensorType(ElementType.Int64, new Shape(N));
        return end == "ArgMax" ? net.Build((chosen, [N])) : net.Build((chosen, [N]), (y, [N, Classes]));
    }
}
