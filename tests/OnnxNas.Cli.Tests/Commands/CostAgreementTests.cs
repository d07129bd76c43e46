using System.Text.Json.Nodes;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Parameters and MACs are the same wherever they are reported, are those of the file that is written, and hold in budgets.</summary>
[TestClass]
public sealed class CostAgreementTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly string[] Settings = ["--epochs", "2", "--retrain-epochs", "1", "--batch-size", "16", "--threads", "1", "--strategy", "grid"];

    [TestMethod]
    [DataRow("If"), DataRow("If, the weights its own"), DataRow("Loop"), DataRow("Loop, the weights its own"), DataRow("Einsum"), DataRow("Scan")]
    public void Inspect_the_ranking_and_the_summary_count_what_the_file_holds(string kind)
    {
        using var bench = new Workbench();
        var model = Save(bench, kind);
        var (code, output, error) = Workbench.Run(["search", model, "-o", bench["out"], "--json", .. Settings]);
        Assert.AreEqual(0, code, error);
        var summary = JsonNode.Parse(output)!;
        var best = Inspect(bench["out/best.onnx"]);
        Assert.AreEqual(Held(bench["out/best.onnx"]), (long)summary["parameters"]!, error);
        Assert.AreEqual((long)best["parameters"]!, (long)summary["parameters"]!);
        Assert.AreEqual((long)best["macs"]!, (long)summary["macs"]!);
        var ranking = JsonNode.Parse(File.ReadAllText(bench["out/ranking.json"]))!.AsArray();
        Assert.HasCount(2, ranking);
        Assert.AreEqual((long)summary["parameters"]!, (long)ranking[0]!["parameters"]!);
        Assert.AreEqual((long)summary["macs"]!, (long)ranking[0]!["macs"]!);
        foreach (var row in ranking)
        {
            File.WriteAllText(bench["arch.json"], row!["architecture"]!.ToJsonString());
            Assert.AreEqual(0, Workbench.Run("prune", model, "--arch", bench["arch.json"], "-o", bench["p.onnx"], "--force").Code);
            var pruned = Inspect(bench["p.onnx"]);
            Assert.AreEqual(Held(bench["p.onnx"]), (long)row["parameters"]!, row.ToJsonString());
            Assert.AreEqual((long)pruned["parameters"]!, (long)row["parameters"]!, row.ToJsonString());
            Assert.AreEqual((long)pruned["macs"]!, (long)row["macs"]!, row.ToJsonString());
        }

        // Between both: the cheaper one alone is left.
        var (low, high) = (ranking.Min(r => (long)r!["parameters"]!), ranking.Max(r => (long)r!["parameters"]!));
        Assert.IsGreaterThan(low, high);
        (code, _, error) = Workbench.Run(["search", model, "-o", bench["small"], "--max-params", $"{high - 1}", .. Settings]);
        Assert.AreEqual(0, code, error);
        Assert.AreEqual(low, Held(bench["small/best.onnx"]));
        bench.Refuses(1, "", ["search", model, "-o", bench["none"], "--max-params", $"{low - 1}", .. Settings]);
    }

    [TestMethod]
    public void Attention_over_a_length_that_only_the_data_tells_is_counted_at_that_length()
    {
        using var bench = new Workbench();
        var declared = Attention(bench, 32, "declared");
        var open = Attention(bench, Dim.Symbol("T"), "open");
        var (_, _, most) = Search(declared, "a", []);
        Assert.AreEqual(most, Search(open, "b", []).Macs);
        // Attention takes 2·T²·4 more than the layer, 8192, which takes 32·16.
        Assert.AreEqual(2L * 32 * 32 * 4 - 32 * 16, most.Attention - most.Linear);
        foreach (var model in new[] { declared, open })
            Assert.AreEqual("linear", Search(model, Path.GetFileName(model) + "60", ["--max-macs", "60%"]).Winner);
        // At one token, where inspect has no data, attention is the cheaper one; a shape makes it as dear as it is.
        Assert.AreEqual((long)Inspect(declared)["macs"]!, (long)Inspect(open, "--shape", "x:1x32x4")["macs"]!);
        var (code, text, _) = Workbench.Run("inspect", open);
        Assert.AreEqual(0, code);
        Assert.Contains("T", text);

        (int Code, string Winner, (long Attention, long Linear) Macs) Search(string model, string name, string[] more)
        {
            var (code, _, error) = Workbench.Run(["search", model, "-o", bench[name], .. Settings, .. more]);
            Assert.AreEqual(0, code, error);
            var rows = JsonNode.Parse(File.ReadAllText(bench[$"{name}/ranking.json"]))!.AsArray().ToDictionary(r => (string)r!["architecture"]!["op"]!, r => (long)r!["macs"]!);
            return (code, (string)JsonNode.Parse(File.ReadAllText(bench[$"{name}/arch.json"]))!["op"]!, (rows.GetValueOrDefault("attention"), rows.GetValueOrDefault("linear")));
        }
    }

    [TestMethod]
    public void The_output_and_the_axis_that_were_asked_for_are_kept_and_read_back()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4, 4);
        var h = net.LayerChoice("op", ["tanh", "sin"], net.Op("Tanh", x), net.Op("Sin", x));
        var (first, second) = (net.Op("MatMul", h, net.Weight("first.weight", 4, 4)), net.Op("MatMul", h, net.Weight("second.weight", 4, 4)));
        net.Graph.Rename(first, "first");
        net.Graph.Rename(second, "second");
        var model = bench.Save(net.Build((first, [N, 4, 4]), (second, [N, 4, 4])));
        bench.SaveData("net.npz", ("x", TestTensors.Normal(5, 60, 4, 4)), ("label", TestTensors.Int64s(6, 0, 4, 60, 4)));
        string[] asked = ["--output", "second", "--class-axis", "-2", "--strategy", "darts"];
        bench.Refuses(2, "the outputs of the model are 'first', 'second'", "search", model, "-o", bench["a"], "--output", "third");
        var (code, _, error) = Workbench.Run(["search", model, "-o", bench["a"], .. Settings.SkipLast(2), .. asked]);
        Assert.AreEqual(0, code, error);
        var config = JsonNode.Parse(File.ReadAllText(bench["a/config.json"]))!;
        Assert.AreEqual("second", (string)config["output"]!);
        (code, _, error) = Workbench.Run("search", model, "-o", bench["b"], "--config", bench["a/config.json"]);
        Assert.AreEqual(0, code, error);
        CollectionAssert.AreEqual(File.ReadAllBytes(bench["a/best.onnx"]), File.ReadAllBytes(bench["b/best.onnx"]));
        CollectionAssert.AreEqual(File.ReadAllBytes(bench["a/config.json"]), File.ReadAllBytes(bench["b/config.json"]));

        var (before, after) = (OnnxFile.Read(model).Graph, OnnxFile.Read(bench["a/best.onnx"]).Graph);
        Assert.IsTrue(Same("first.weight"));
        Assert.IsFalse(Same("second.weight"));

        bool Same(string name) => before.Find(name)!.Initializer!.ToDoubles().SequenceEqual(after.Find(name)!.Initializer!.ToDoubles());
    }

    private static JsonNode Inspect(string model, params string[] more)
    {
        var (code, output, error) = Workbench.Run(["inspect", model, "--json", .. more]);
        Assert.AreEqual(0, code, error);
        return JsonNode.Parse(output)!;
    }

    // Floats in the file, in bodies too.
    private static long Held(string path) => Held(OnnxFile.Read(path).Graph);

    private static long Held(Graph graph) =>
        graph.Initializers.Where(i => i.Initializer!.Type == ElementType.Float32).Sum(i => i.Initializer!.ElementCount) + graph.Nodes.SelectMany(n => n.Subgraphs).Sum(Held);

    private static string Attention(Workbench bench, Dim length, string name)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, length, 4);
        var attention = net.Op("MatMul", net.Op("Softmax", net.Op("MatMul", x, net.Op("Transpose", [x], Attr.Of("perm", (IEnumerable<long>)[0, 2, 1])))), x);
        var h = net.LayerChoice("op", ["attention", "linear"], attention, net.Op("MatMul", x, net.Weight("w", 4, 4)));
        var pooled = net.Op("ReduceMean", [h], Attr.Of("axes", (IEnumerable<long>)[1]), Attr.Of("keepdims", 0L));
        bench.SaveData($"{name}.npz", ("x", TestTensors.Normal(5, 48, 32, 4)), ("label", TestTensors.Int64s(6, 0, 2, 48)));
        return bench.Save(net.Build((net.Linear("head", pooled, 4, 2), [N, 2])), $"{name}.onnx");
    }

    private static string Save(Workbench bench, string kind)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var isOwn = kind.EndsWith("own", StringComparison.Ordinal);
        var large = kind switch
        {
            "Einsum" => net.Op("Einsum", [x, net.Weight("w", 4, 2, 2), net.Weight("v", 2, 2, 4)], Attr.Of("equation", "nc,chd,hde->ne")),
            "Scan" => Scan(net, x),
            _ when kind.StartsWith("If", StringComparison.Ordinal) => If(net, x, isOwn),
            _ => Loop(net, x, isOwn),
        };
        var h = net.LayerChoice("op", ["large", "small"], large, net.Op("MatMul", net.Op("MatMul", x, net.Weight("down", 4, 1)), net.Weight("up", 1, 4)));
        bench.SaveData("net.npz", Workbench.Samples());
        return bench.Save(net.Build((net.Linear("head", h, 4, 2), [N, 2])));
    }

    private static Value If(NetBuilder net, Value x, bool isOwn)
    {
        var branches = Enumerable.Range(0, 2).Select(i =>
        {
            var body = new Graph("branch", net.Graph);
            var y = body.Call("MatMul", [x, Weight(net, body, $"w{i}", isOwn)]);
            return Closed(body, i == 0 ? y : body.Call("Tanh", [y]));
        }).ToList();
        // Not known before it runs.
        var condition = net.Op("Greater", net.Op("ReduceSum", [x], Attr.Of("keepdims", 0L)), net.Op("ReduceSum", [net.Op("Neg", x)], Attr.Of("keepdims", 0L)));
        return net.Op("If", [condition], Attr.Of("then_branch", branches[0]), Attr.Of("else_branch", branches[1]));
    }

    private static Value Loop(NetBuilder net, Value x, bool isOwn)
    {
        var body = new Graph("body", net.Graph);
        body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
        var goes = body.AddInput("goes", new TensorType(ElementType.Bool, Shape.Scalar));
        var state = body.AddInput("state", new TensorType(ElementType.Float32, null));
        var on = body.Call("Identity", [goes]);
        on.Type = new TensorType(ElementType.Bool, Shape.Scalar);
        body.AddOutput(on);
        Closed(body, body.Call("Tanh", [body.Call("MatMul", [state, Weight(net, body, "w", isOwn)])]));
        return net.Op("Loop", [net.Graph.AddInitializer("trips", TensorData.Scalar(3L)), net.Graph.AddInitializer("true", TensorData.Scalar(true)), x], Attr.Of("body", body));
    }

    private static Value Scan(NetBuilder net, Value x)
    {
        var body = new Graph("body", net.Graph);
        var (state, column) = (body.AddInput("state", new TensorType(ElementType.Float32, null)), body.AddInput("column", new TensorType(ElementType.Float32, null)));
        var next = body.Call("Add", [body.Call("MatMul", [state, net.Weight("w", 4, 4)]), body.Call("Unsqueeze", [column, net.Graph.AddConstant("last", TensorData.Vector(1L))])]);
        Closed(body, next);
        return net.Op("Scan", [x, x], Attr.Of("body", body), Attr.Of("num_scan_inputs", 1L), Attr.Of("scan_input_axes", (IEnumerable<long>)[1]));
    }

    private static Value Weight(NetBuilder net, Graph body, string name, bool isOwn)
    {
        var weight = net.Weight(name, 4, 4);
        if (!isOwn)
            return weight;
        net.Graph.RemoveValue(weight);
        return body.AddInitializer(name, weight.Initializer!);
    }

    private static Graph Closed(Graph body, Value output)
    {
        output.Type = new TensorType(ElementType.Float32, null);
        body.AddOutput(output);
        return body;
    }
}
