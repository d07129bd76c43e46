using System.Text.Json.Nodes;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Verification;

/// <summary>Models that end the process they run in cost one result or give one line; nothing else is lost.</summary>
[TestClass]
public sealed class CrashTests : IDisposable
{
    private const int Good = 100;
    private readonly Workbench bench = new();

    public void Dispose() => bench.Dispose();

    [TestMethod]
    public void A_killer_among_a_hundred_good_models_is_one_crash_and_a_hundred_results_in_order()
    {
        var killer = bench.Save(Killer.Plain(), "killer.onnx");
        string[] paths = [.. Enumerable.Range(0, Good).Select(i => bench.Save(Small(i), $"good{i}.onnx"))];
        string[] all = [.. paths[..40], killer, .. paths[40..]];
        var (code, output, _) = Workbench.Run(["verify", .. all, "--json"]);
        var summary = JsonNode.Parse(output)!;
        Assert.AreEqual((1, Good, 0, 0, 0, 1), (code, (int)summary["passed"]!, (int)summary["failed"]!, (int)summary["unsupported"]!, (int)summary["errors"]!, (int)summary["crashed"]!));
        var results = summary["results"]!.AsArray();
        CollectionAssert.AreEqual(all, results.Select(r => (string)r!["path"]!).ToArray());
        Assert.AreEqual("crash", (string)results[40]!["status"]!);
        if (OperatingSystem.IsLinux())
            Assert.Contains("SIGFPE", (string)results[40]!["message"]!);
    }

    [TestMethod]
    public void A_killer_alone_is_a_crash_too()
    {
        var (code, output, _) = Workbench.Run("verify", bench.Save(Killer.Plain()));
        Assert.AreEqual(1, code);
        Assert.Contains("crash", output);
        Assert.Contains("1 crashed", output);
    }

    [TestMethod]
    public void A_call_that_leaves_out_a_bias_of_its_function_is_no_killer()
    {
        var body = new Graph("norm");
        body.AddOutput(body.Call("LayerNormalization", [body.AddInput("x"), body.AddInput("scale"), body.AddInput("bias")], "y"));
        var net = new NetBuilder();
        var model = net.Build((net.Graph.Call("Norm", [net.Input("x", 2, 4), net.Weight("scale", 4)], domain: "local"), [2, 4]));
        var function = new Function("local", "Norm", body);
        (function.OpsetImports[""], model.OpsetImports["local"]) = (model.Opset, 1);
        model.Functions.Add(function);
        var (code, output, _) = Workbench.Run("verify", bench.Save(model));
        Assert.AreEqual(0, code, output);
    }

    [TestMethod]
    public void Prune_and_search_refuse_a_killer_by_one_line_and_write_nothing()
    {
        var marked = bench.Save(Killer.Marked());
        File.WriteAllText(bench["arch.json"], """{"op": "tanh"}""");
        bench.SaveData("net.npz", Workbench.Samples());
        bench.Refuses(1, "ONNX Runtime crashed", "prune", marked, "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
        bench.Refuses(1, "ONNX Runtime crashed", "search", marked, "--dry-run", "-o", bench["results"]);
        bench.Refuses(1, "while it ran 'net.onnx'", "search", marked, "-o", bench["results"]);
    }

    [TestMethod]
    public void Trailing_empty_inputs_are_left_out_where_ONNX_Runtime_would_follow_them()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var chosen = net.LayerChoice("op", ["a", "b"], net.Op("Tanh", x), x);
        var model = net.Build((net.Linear("head", net.Op("LayerNormalization", chosen, net.Weight("scale", 4), null), 4, 2), [Dim.Symbol("N"), 2]));
        var marked = bench.Save(model);
        File.WriteAllText(bench["arch.json"], """{"op": "a"}""");
        Assert.AreEqual(0, Workbench.Run("verify", marked).Code);
        Assert.AreEqual(0, Workbench.Run("prune", marked, "--arch", bench["arch.json"], "-o", bench["out.onnx"]).Code);
        Assert.IsTrue(OnnxFile.Read(bench["out.onnx"]).Graph.Nodes.All(n => n.Inputs[^1] is not null));
    }

    [TestMethod]
    public void Inputs_that_are_steps_sizes_and_divisors_are_drawn_so_that_the_model_runs()
    {
        var net = new NetBuilder();
        Value Whole(string name, params Dim[] dims) => net.Graph.AddInput(name, new TensorType(ElementType.Int64, new Shape(dims)));
        var signal = net.Op("STFT", net.Input("signal", 1, 64, 1), Whole("step"), null, Whole("length"));
        var quotient = net.Op("Cast", [net.Op("Div", Whole("ids", 4), Whole("divisor", 4))], Attr.Of("to", (long)ElementType.Float32));
        var scaled = net.Op("Resize", net.Input("image", 1, 1, 4, 4), null, net.Input("scales", 4));
        var path = bench.Save(net.Build((net.Op("ReduceSum", [signal], Attr.Of("keepdims", 0L)), []), (quotient, [4]), (net.Op("ReduceSum", [scaled], Attr.Of("keepdims", 0L)), [])));
        var (code, output, _) = Workbench.Run("verify", path);
        Assert.AreEqual(0, code, output);
    }

    [TestMethod]
    [DataRow("Div", 0L, "holds a 0"), DataRow("Mod", 0L, "holds a 0"), DataRow("Div", -1L, "cannot hold"), DataRow("Mod", -1L, "cannot hold")]
    public void A_division_of_constants_that_the_processor_traps_is_refused_by_name(string op, long divisor, string because)
    {
        var net = new NetBuilder();
        var quotient = net.Op("Cast", [net.Op(op, net.Graph.AddInitializer("a", TensorData.Vector(long.MinValue)), net.Graph.AddInitializer("b", TensorData.Vector(divisor)))], Attr.Of("to", (long)ElementType.Float32));
        var (code, output, _) = Workbench.Run("verify", bench.Save(net.Build((net.Op("Add", net.Input("x", 1), quotient), [1]))), "--json");
        Assert.AreEqual(1, code);
        Assert.Contains("\"error\"", output);
        Assert.Contains(because, output);
        Assert.Contains($"{op} '", output);
    }

    [TestMethod]
    public void A_case_whose_node_lacks_a_required_input_costs_no_other_result()
    {
        var net = new NetBuilder();
        net.Input("x", 2);
        var lacking = net.Build((net.Op("HardSwish", [null]), [2]));
        var (code, output, _) = Workbench.Run("verify", bench.Save(Small(1)), bench.Save(lacking, "lacking.onnx"), "--json");
        Assert.AreEqual(1, code);
        Assert.Contains("input 0 is missing", output);
        Assert.AreEqual(1, (int)JsonNode.Parse(output)!["passed"]!);
    }

    private static Model Small(int seed)
    {
        var net = new NetBuilder(seed);
        return net.Build((net.Linear("a", net.Input("x", Dim.Symbol("N"), 3), 3, 2), [Dim.Symbol("N"), 2]));
    }
}
