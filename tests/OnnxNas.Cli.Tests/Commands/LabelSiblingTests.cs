using System.Text.Json.Nodes;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Endings, labels and types that differ from the common ones in one thing each, through whole searches.</summary>
[TestClass]
public sealed class LabelSiblingTests
{
    private const int Count = 80;
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly string[] Settings = ["--epochs", "10", "--batch-size", "8", "--threads", "1", "--lr", "0.3", "--weight-decay", "0"];

    // Every label is the largest of the numbers at its position, so that a head that is trained as it should be learns it.
    [TestMethod]
    [DataRow("square tokens"), DataRow("square tokens, Softmax"), DataRow("square tokens, Reshape before the Softmax"), DataRow("Softmax, then Reshape"), DataRow("flat Softmax, then Reshape to tokens")]
    [DataRow("images NHWC, Softmax"), DataRow("images NHWC, square"), DataRow("two logits"), DataRow("bytes in a column"), DataRow("doubles"), DataRow("halves, Softmax"), DataRow("bfloat16 weights, Softmax")]
    [DataRow("column of bool"), DataRow("value beside classes"), DataRow("classes below"), DataRow("If of own weights")]
    public void It_learns(string kind)
    {
        using var bench = new Workbench();
        var (model, x, labels) = Make(kind);
        bench.SaveData("net.npz", ("x", x), ("label", labels));
        var (code, output, error) = Workbench.Run(["search", bench.Save(model), "-o", bench["out"], "--json", .. Settings]);
        Assert.AreEqual(0, code, error);
        var metrics = JsonNode.Parse(output)!["metrics"]!;
        Assert.Contains("accuracy", (string)metrics["name"]!);
        Assert.IsGreaterThan(0.85, (double)metrics["test"]!, error);
        using var session = new OnnxSession(File.ReadAllBytes(bench["out/best.onnx"]));
        Assert.AreEqual(OnnxFile.Read(bench["net.onnx"]).Graph.Outputs[0].Element, session.Outputs[0].Type);
    }

    [TestMethod]
    [DataRow(true, 1, 16), DataRow(true, 16), DataRow(true), DataRow(false, 1, 16), DataRow(false, 16), DataRow(false)]
    public void A_constant_candidate_is_refused_on_reading_or_trains_to_the_end(bool first, params int[] dims)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 16);
        var (zero, layer) = (net.Constant("nothing", [.. dims.Select(d => (long)d)], _ => 0), net.Linear("a", x, 16, 16));
        var h = net.LayerChoice("op", null, first ? [zero, layer] : [layer, zero]);
        bench.SaveData("net.npz", ("x", TestTensors.Normal(5, Count, 16)), ("label", TestTensors.Int64s(6, 0, 2, Count)));
        var model = bench.Save(net.Build((net.Linear("head", h, 16, 2), [N, 2])));
        bench.Refuses(1, "expand a constant to the batch", "search", model, "-o", bench["out"]);
        bench.Refuses(1, "expand a constant to the batch", "search", model, "-o", bench["out"], "--dry-run");
    }

    [TestMethod]
    public void Nodes_out_of_order_in_a_body_are_sorted_with_a_note()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x0", N, 2);
        var branches = Enumerable.Range(0, 2).Select(_ =>
        {
            var body = new Graph("branch", net.Graph);
            var last = body.Call("Neg", [body.Call("Neg", [x], "v1")], "v2");
            last.Type = new TensorType(ElementType.Float32, null);
            body.AddOutput(last);
            return body;
        }).ToList();
        var condition = net.Op("Greater", net.Op("ReduceSum", [x], Attr.Of("keepdims", 0L)), net.Op("ReduceSum", [net.Op("Tanh", x)], Attr.Of("keepdims", 0L)));
        var h = net.LayerChoice("op", ["if", "plain"], net.Op("If", [condition], Attr.Of("then_branch", branches[0]), Attr.Of("else_branch", branches[1])), net.Op("Identity", x));
        var samples = TestTensors.Normal(5, Count, 2);
        bench.SaveData("net.npz", ("x0", samples), ("label", Largest(samples, [Count])));
        var model = bench.Save(net.Build((net.Linear("head", h, 2, 2), [N, 2])));
        // As the file holds them, input and output: the second node becomes the first.
        byte[] first = [10, 2, .. "x0"u8, 18, 2, .. "v1"u8], second = [10, 2, .. "v1"u8, 18, 2, .. "v2"u8];
        var bytes = File.ReadAllBytes(model);
        for (var at = 0; at < bytes.Length - first.Length; at++)
        {
            var here = bytes.AsSpan(at, first.Length);
            if (here.SequenceEqual(first))
                second.CopyTo(here);
            else if (here.SequenceEqual(second))
                first.CopyTo(here);
        }

        Assert.IsFalse(bytes.SequenceEqual(File.ReadAllBytes(model)));
        File.WriteAllBytes(model, bytes);
        var (code, output, error) = Workbench.Run(["search", model, "-o", bench["out"], "--json", .. Settings]);
        Assert.AreEqual(0, code, error);
        Assert.Contains("order", error);
        Assert.IsGreaterThan(0.85, (double)JsonNode.Parse(output)!["metrics"]!["test"]!, error);
    }

    private static (Model Model, TensorData X, TensorData Labels) Make(string kind)
    {
        var type = kind switch { "doubles" => ElementType.Float64, _ => ElementType.Float32 };
        var net = new NetBuilder(4, type);
        if (kind.StartsWith("halves", StringComparison.Ordinal) || kind.StartsWith("bfloat16", StringComparison.Ordinal))
            return Rounded(net, kind.StartsWith("halves", StringComparison.Ordinal) ? ElementType.Float16 : ElementType.BFloat16);
        if (kind.StartsWith("images", StringComparison.Ordinal))
        {
            var (w, c) = (kind.EndsWith("square", StringComparison.Ordinal) ? 3 : 4, 3);
            var nhwc = net.Input("x", N, 3, w, c);
            var moved = net.Op("Transpose", [nhwc], Attr.Of("perm", (IEnumerable<long>)[0, 3, 1, 2]));
            var conv = net.Op("Conv", Choice(net, moved), net.Weight("k", c, c, 1, 1), net.Weight("b", c));
            var back = net.Op("Transpose", [conv], Attr.Of("perm", (IEnumerable<long>)[0, 2, 3, 1]));
            var images = TestTensors.Normal(5, Count, 3, w, c);
            return (net.Build((net.Op("Softmax", [back], Attr.Of("axis", -1L)), [N, 3, w, c])), images, Largest(images, [Count, 3, w]));
        }

        if (kind.Contains("tokens", StringComparison.Ordinal) || kind == "Softmax, then Reshape")
        {
            var tokens = TestTensors.Normal(5, Count, 4, 4);
            var input = net.Input("x", N, 4, 4);
            var logits = net.Op("Add", net.Op("MatMul", Choice(net, input), net.Weight("w", 4, 4)), net.Weight("b", 4));
            var (flat, apart) = (net.Graph.AddConstant("flat", TensorData.Vector<long>(-1, 4)), net.Graph.AddConstant("apart", TensorData.Vector<long>(-1, 4, 4)));
            var end = kind switch
            {
                "square tokens" => logits,
                "square tokens, Softmax" => net.Op("Softmax", [logits], Attr.Of("axis", 2L)),
                "square tokens, Reshape before the Softmax" => net.Op("Softmax", [net.Op("Reshape", net.Op("Reshape", logits, flat), apart)], Attr.Of("axis", -1L)),
                "Softmax, then Reshape" => net.Op("Reshape", net.Op("Softmax", [logits], Attr.Of("axis", -1L)), apart),
                _ => net.Op("Reshape", net.Op("Softmax", [net.Op("Reshape", logits, flat)], Attr.Of("axis", -1L)), apart),
            };
            return (net.Build((end, [N, 4, 4])), tokens, Largest(tokens, [Count, 4]));
        }

        var samples = TestTensors.Normal(5, Count, 2);
        var x = net.Input("x", N, 2);
        var chosen = kind == "If of own weights" ? If(net, x) : Choice(net, x);
        var classes = Largest(samples, [Count]);
        return kind switch
        {
            "column of bool" => (net.Build((net.Op("Sigmoid", net.Linear("head", chosen, 2, 1)), [N, 1])), samples, TensorData.Create<bool>([Count, 1], [.. classes.ToInt64s().Select(l => l == 1)])),
            "bytes in a column" => (net.Build((net.Linear("head", chosen, 2, 2), [N, 2])), samples, TensorData.Create<byte>([Count, 1], [.. classes.ToInt64s().Select(l => (byte)l)])),
            "value beside classes" => (net.Build((net.Linear("value", chosen, 2, 3), [N, 3]), (net.Op("Softmax", net.Linear("head", chosen, 2, 2)), [N, 2])), samples, OneHot(classes)),
            "classes below" => (net.Build((net.Op("Unsqueeze", net.Op("Softmax", net.Linear("head", chosen, 2, 2)), net.Graph.AddConstant("last", TensorData.Vector(2L))), [N, 2, 1])), samples, classes),
            _ => (net.Build((net.Linear("head", chosen, 2, 2), [N, 2])), samples.As(type), classes),
        };
    }

    private static Value Choice(NetBuilder net, Value x) => net.LayerChoice("op", ["plain", "twice"], net.Op("Identity", x), net.Op("Neg", net.Op("Neg", x)));

    private static (Model Model, TensorData X, TensorData Labels) Rounded(NetBuilder net, ElementType type)
    {
        var samples = TestTensors.Normal(5, Count, 2);
        var x = net.Input("x", N, 2);
        var w = net.Graph.AddInitializer("w", TestTensors.Normal(7, 2, 2).As(type));
        // ONNX Runtime computes in halves, but holds bfloat16 only.
        var isComputed = type == ElementType.Float16;
        var logits = net.Op("MatMul", Choice(net, isComputed ? Cast(net, x, type) : x), isComputed ? w : Cast(net, w, ElementType.Float32));
        var end = net.Op("Softmax", [logits], Attr.Of("axis", 1L));
        return (net.Build((isComputed ? Cast(net, end, ElementType.Float32) : end, [N, 2])), samples, Largest(samples, [Count]));
    }

    private static Value Cast(NetBuilder net, Value x, ElementType to) => net.Op("Cast", [x], Attr.Of("to", (long)to));

    // Each branch is a layer of its own.
    private static Value If(NetBuilder net, Value x)
    {
        var branches = Enumerable.Range(0, 2).Select(i =>
        {
            var (body, w) = (new Graph("branch", net.Graph), net.Weight($"w{i}", 2, 2));
            net.Graph.RemoveValue(w);
            var y = body.Call("MatMul", [x, body.AddInitializer(w.Name, w.Initializer!)]);
            y.Type = new TensorType(ElementType.Float32, null);
            body.AddOutput(y);
            return body;
        }).ToList();
        var condition = net.Op("Greater", net.Op("ReduceSum", [x], Attr.Of("keepdims", 0L)), net.Op("ReduceSum", [net.Op("Neg", x)], Attr.Of("keepdims", 0L)));
        return net.LayerChoice("op", ["if", "if and tanh"], net.Op("If", [condition], Attr.Of("then_branch", branches[0]), Attr.Of("else_branch", branches[1])), net.Op("Tanh", x));
    }

    private static TensorData OneHot(TensorData classes) =>
        TensorData.Create<float>([Count, 2], [.. classes.ToInt64s().SelectMany(c => new[] { c == 0 ? 1f : 0, c == 1 ? 1f : 0 })]);

    // The place of the largest number along the last axis.
    private static TensorData Largest(TensorData x, long[] dims)
    {
        var (numbers, width) = (x.ToDoubles(), (int)x.Dims[^1]);
        return TensorData.Create<long>(dims, [.. Enumerable.Range(0, numbers.Length / width).Select(i => (long)Enumerable.Range(0, width).MaxBy(c => numbers[i * width + c]))]);
    }
}
