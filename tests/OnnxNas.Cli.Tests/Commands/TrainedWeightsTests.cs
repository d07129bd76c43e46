using System.Diagnostics;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>What trains and what does not, through whole searches: supernet, pruning, retraining, gate and resumption.</summary>
[TestClass]
public sealed class TrainedWeightsTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly string[] Settings = ["--epochs", "3", "--retrain-epochs", "3", "--batch-size", "8", "--threads", "1", "--lr", "0.1"];

    [TestMethod]
    public void Frozen_weights_keep_their_bits_through_search_retraining_and_resumption()
    {
        using var bench = new Workbench();
        var model = Gated(bench);
        var before = Weights(model);
        string[] frozen = ["--freeze", "head.w*", "--freeze", "?.weight"];
        bench.Refuses(2, "The pattern 'hed.*' of what to freeze matches no float initializer", ["search", model, "-o", bench["out"], "--freeze", "hed.*"]);
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["whole"], .. Settings, .. frozen]).Code);
        Stop(["search", model, "-o", bench["out"], .. Settings, .. frozen], "retrain 1/");
        bench.Refuses(2, "contradicts", ["search", model, "--resume", bench["out"], "--freeze", "?.bias"]);
        var (code, _, error) = Workbench.Run("search", model, "--resume", bench["out"]);
        Assert.AreEqual(0, code, error);

        CollectionAssert.AreEqual(File.ReadAllBytes(bench["whole/best.onnx"]), File.ReadAllBytes(bench["out/best.onnx"]));
        var after = Weights(bench["out/best.onnx"]);
        foreach (var (name, was) in before.Where(b => after.ContainsKey(b.Key)))
            Assert.AreEqual(name is "head.weight" or "a.weight" or "b.weight" or "half", was.SequenceEqual(after[name]), name);
        Assert.IsTrue(after.ContainsKey("head.weight"));
    }

    [TestMethod]
    public void A_search_whose_weights_are_all_frozen_leaves_them()
    {
        using var bench = new Workbench();
        var model = Gated(bench);
        var (code, _, error) = Workbench.Run(["search", model, "-o", bench["out"], .. Settings, "--freeze", "*"]);
        Assert.AreEqual(0, code, error);
        var (before, after) = (Weights(model), Weights(bench["out/best.onnx"]));
        foreach (var (name, numbers) in after)
            CollectionAssert.AreEqual(before[name], numbers, name);
    }

    [TestMethod]
    public void What_is_asked_to_train_trains_although_it_looks_like_a_literal()
    {
        using var bench = new Workbench();
        var model = Gated(bench);
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["left"], .. Settings]).Code);
        Assert.AreEqual(0, Workbench.Run(["search", model, "-o", bench["asked"], .. Settings, "--train", "half"]).Code);
        Assert.AreEqual(0.5, Weights(bench["left/best.onnx"])["half"][0]);
        Assert.AreNotEqual(0.5, Weights(bench["asked/best.onnx"])["half"][0]);
    }

    [TestMethod]
    [DataRow("DequantizeLinear"), DataRow("DequantizeLinear by channel"), DataRow("Cast"), DataRow("Cast and scale"), DataRow("RandomNormal"), DataRow("RandomUniform"), DataRow("EyeLike"), DataRow("Dequantized and transposed")]
    public void A_weight_that_cannot_train_stays_what_it_is_to_the_end(string kind)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var w = Fixed(net, kind);
        var h = net.LayerChoice("op", ["fixed", "fixed tanh"], net.Op("MatMul", x, w), net.Op("Tanh", net.Op("MatMul", x, w)));
        var model = bench.Save(net.Build((net.Linear("head", h, 4, 2), [N, 2])));
        bench.SaveData("net.npz", Workbench.Samples());
        // What a random operator makes is drawn once and trains, so that it takes an order to keep it.
        string[] frozen = kind.StartsWith("Random", StringComparison.Ordinal) ? ["--freeze", kind] : [];
        var (code, _, error) = Workbench.Run(["search", model, "-o", bench["out"], .. Settings, .. frozen]);
        Assert.AreEqual(0, code, error);
        // The weight in the file is what the marked model makes of it, to the bit: pruned without any training it is the same.
        var (pruned, _, message) = Workbench.Run("prune", model, "--arch", bench["out/arch.json"], "-o", bench["pruned.onnx"]);
        Assert.AreEqual(0, pruned, message);
        CollectionAssert.AreEqual(Matrix(bench["pruned.onnx"]), Matrix(bench["out/best.onnx"]));
        Assert.IsFalse(Weights(bench["pruned.onnx"])["head.weight"].SequenceEqual(Weights(bench["out/best.onnx"])["head.weight"]));
    }

    [TestMethod]
    public void A_tied_weight_behind_Transpose_is_written_once()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var (x, w) = (net.Input("x", N, 4), net.Weight("tied.weight", 4, 4));
        var back = net.Op("Transpose", [w], Attr.Of("perm", (IEnumerable<long>)[1, 0]));
        var h = net.LayerChoice("op", ["tanh", "relu"], net.Op("Tanh", net.Op("MatMul", x, w)), net.Op("Relu", net.Op("MatMul", x, w)));
        var model = bench.Save(net.Build((net.Op("MatMul", h, back), [N, 4])));
        bench.SaveData("net.npz", ("x", TestTensors.Normal(5, 60, 4)), ("label", TestTensors.Int64s(6, 0, 4, 60)));
        var (code, output, error) = Workbench.Run(["search", model, "-o", bench["out"], "--json", .. Settings]);
        Assert.AreEqual(0, code, error);
        Assert.AreEqual(16, Weights(bench["out/best.onnx"]).Values.Sum(v => v.Length));
        Assert.Contains("\"parameters\": 16", output);
    }

    [TestMethod]
    [DataRow("gamma", 1), DataRow("gamma", 0), DataRow("temp", 1), DataRow("blocks.0.alpha", 1)]
    public void A_gate_that_starts_at_zero_opens_and_what_it_gates_stays(string name, int rank)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 6, 4);
        var gamma = net.Constant(name, rank == 0 ? [] : [1], _ => 0);
        var scores = net.Op("MatMul", net.Op("MatMul", x, net.Weight("q", 4, 4)), net.Op("Transpose", [net.Op("MatMul", x, net.Weight("k", 4, 4))], Attr.Of("perm", (IEnumerable<long>)[0, 2, 1])));
        var attention = net.Op("MatMul", net.Op("Softmax", scores), net.Op("MatMul", x, net.Weight("v", 4, 4)));
        var gated = net.Op("Add", net.Op("Mul", attention, gamma), x);
        var h = net.LayerChoice("op", ["gated", "gated twice"], gated, net.Op("Neg", net.Op("Neg", gated)));
        var pooled = net.Op("ReduceMean", [h], Attr.Of("axes", (IEnumerable<long>)[1]), Attr.Of("keepdims", 0L));
        var built = net.Build((net.Linear("head", pooled, 4, 2), [N, 2]));
        built.ProducerName = "pytorch";
        var model = bench.Save(built);
        bench.SaveData("net.npz", ("x", TestTensors.Normal(5, 60, 6, 4)), ("label", TestTensors.Int64s(6, 0, 2, 60)));
        var (code, _, error) = Workbench.Run(["search", model, "-o", bench["out"], .. Settings]);
        Assert.AreEqual(0, code, error);
        var best = OnnxFile.Read(bench["out/best.onnx"]);
        Assert.AreNotEqual(0, Weights(bench["out/best.onnx"])[name][0]);
        Assert.Contains("Softmax", best.Graph.Nodes.Select(n => n.OpType));
        Assert.AreEqual(3 * 16 + 1 + 10, Weights(bench["out/best.onnx"]).Values.Sum(v => v.Length));

        // A file that is pruned before any training may be trained on, and keeps its gate.
        Assert.AreEqual(0, Workbench.Run("prune", model, "--arch", bench["out/arch.json"], "-o", bench["p.onnx"]).Code);
        Assert.IsTrue(Weights(bench["p.onnx"]).ContainsKey(name));
    }

    private static string Gated(Workbench bench)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var h = net.LayerChoice("op", ["tanh", "sin"], net.Op("Tanh", net.Linear("a", x, 4, 4)), net.Op("Sin", net.Linear("b", x, 4, 4)));
        bench.SaveData("net.npz", Workbench.Samples());
        return bench.Save(net.Build((net.Linear("head", net.Op("Add", net.Op("Mul", h, net.Constant("half", [], _ => 0.5)), x), 4, 2), [N, 2])));
    }

    private static Value Fixed(NetBuilder net, string kind)
    {
        var integers = net.Graph.AddInitializer("w.int8", TensorData.Create<sbyte>([4, 4], [.. Enumerable.Range(0, 16).Select(i => (sbyte)(3 * i * i % 17 - 8))]));
        var scale = net.Constant("w.scale", [], _ => 0.11);
        if (kind is not ("DequantizeLinear" or "Cast" or "Cast and scale" or "Dequantized and transposed" or "DequantizeLinear by channel"))
            net.Graph.RemoveValue(integers);
        Attr[] drawn = [Attr.Of("shape", (IEnumerable<long>)[4, 4]), Attr.Of("seed", 3f)];
        return kind switch
        {
            "DequantizeLinear" => net.Op("DequantizeLinear", integers, scale),
            "DequantizeLinear by channel" => net.Op("DequantizeLinear", [integers, net.Constant("w.scales", [4], i => 0.05 + 0.02 * i)], Attr.Of("axis", 1L)),
            "Dequantized and transposed" => net.Op("Transpose", [net.Op("DequantizeLinear", integers, scale)], Attr.Of("perm", (IEnumerable<long>)[1, 0])),
            "Cast" => net.Op("Cast", [integers], Attr.Of("to", (long)ElementType.Float32)),
            "Cast and scale" => net.Op("Mul", net.Op("Cast", [integers], Attr.Of("to", (long)ElementType.Float32)), scale),
            "EyeLike" => net.Op("EyeLike", [net.Constant("like", [4, 4], _ => 0)], Attr.Of("dtype", (long)ElementType.Float32)),
            _ => net.Op(kind, [], drawn),
        };
    }

    // What the file multiplies x by, as ONNX Runtime computes it.
    private static double[] Matrix(string path)
    {
        var model = OnnxFile.Read(path);
        var product = model.Graph.Nodes.First(n => n.OpType == "MatMul");
        product.Output.Type ??= new TensorType(ElementType.Float32, new Shape(N, 4));
        while (model.Graph.Outputs.Count > 0)
            model.Graph.RemoveOutput(0);
        model.Graph.AddOutput(product.Output);
        using var session = new OnnxSession(OnnxFile.ToBytes(model));
        return session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([4, 4], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]) })[0].ToDoubles();
    }

    private static Dictionary<string, double[]> Weights(string path) =>
        OnnxFile.Read(path).Graph.Initializers.Where(i => i.Initializer!.Type == ElementType.Float32).ToDictionary(i => i.Name, i => i.Initializer!.ToDoubles());

    // Ends a search in a process of its own when a line of its progress begins so.
    private static void Stop(string[] arguments, string at)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "onnxnas.dll"), .. arguments])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = "";
        while (process.StandardError.ReadLine() is { } line)
        {
            error += line + "\n";
            if (line.StartsWith(at, StringComparison.Ordinal))
                process.Kill();
        }

        process.WaitForExit();
        Assert.Contains(at, error);
        Assert.AreNotEqual(0, process.ExitCode, error);
    }
}
