using System.Text.Json.Nodes;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

[TestClass]
public sealed class OtherCommandsTests
{
    [TestMethod]
    public void Inspect_tells_in_json_what_is_in_the_model()
    {
        using var bench = new Workbench();
        var (code, output, error) = Workbench.Run("inspect", bench.Classifier(), "--json");
        Assert.AreEqual((0, ""), (code, error));
        var facts = JsonNode.Parse(output)!.AsObject();
        CollectionAssert.AreEqual((string[])["choices", "space_size", "parameters", "macs", "assumed", "inputs", "outputs", "ends", "opset", "unsupported", "import", "not_trained", "warnings"], facts.Select(p => p.Key).ToArray());
        var (op, inputs) = (facts["choices"]![0]!.AsObject(), facts["choices"]![1]!.AsObject());
        CollectionAssert.AreEqual((string[])["label", "kind", "candidates", "n_chosen", "reduction", "nodes"], op.Select(p => p.Key).ToArray());
        Assert.AreEqual("""["linear","tanh","none"]""", op["candidates"]!.ToJsonString());
        Assert.AreEqual(("LayerChoice", 1), ((string)op["kind"]!, (int)op["n_chosen"]!));
        Assert.IsNull(op["reduction"]);
        Assert.AreEqual(("InputChoice", 2, "sum", 1), ((string)inputs["kind"]!, (int)inputs["n_chosen"]!, (string)inputs["reduction"]!, inputs["nodes"]!.AsArray().Count));
        Assert.AreEqual("9", (string)facts["space_size"]!);
        // a: 4x4 + 4, head: 4x2 + 2, bn: scale and bias.
        Assert.AreEqual(20 + 10 + 8, (int)facts["parameters"]!);
        Assert.AreEqual(17, (int)facts["opset"]!);
        Assert.AreEqual("""[{"name":"x","type":"float32","shape":"[N,4]"}]""", facts["inputs"]!.ToJsonString());
        Assert.IsEmpty(facts["unsupported"]!.AsArray());
        CollectionAssert.AreEqual((string[])["bn.mean", "bn.var", "zero"], facts["not_trained"]!.AsArray().Select(f => (string)f!["name"]!).ToArray());
    }

    [TestMethod]
    public void Inspect_says_what_stands_in_the_way()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", 2, 4);
        var model = net.Build((net.Op("RegexFullMatch", x), [2, 4]));
        model.OpsetImports[""] = 99;
        var (code, output, _) = Workbench.Run("inspect", bench.Save(model), "--json");
        Assert.AreEqual(0, code);
        var facts = JsonNode.Parse(output)!;
        Assert.AreEqual("1", (string)facts["space_size"]!);
        Assert.Contains("opset 99", facts["unsupported"]!.ToJsonString());
        Assert.Contains("RegexFullMatch", facts["unsupported"]!.ToJsonString());
        Assert.Contains("no choices", facts["warnings"]!.ToJsonString());
        Assert.Contains("the batch stays 2: RegexFullMatch", facts["warnings"]!.ToJsonString());
        Assert.AreEqual(("MakeBatchDynamic", "refused", "RegexFullMatch"), ((string)facts["import"]![0]!["pass"]!, (string)facts["import"]![0]!["action"]!, (string)facts["import"]![0]!["subjects"]![0]!));
    }

    [TestMethod]
    public void Inspect_lists_what_the_import_found()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var y = net.Input("x", 4, 4);
        for (var i = 0; i < 20; i++)
            y = net.Op("Reshape", net.Op("Tanh", net.Op("Reshape", y, net.Graph.AddConstant("to", TensorData.Vector<long>(4, 2, 2)))), net.Graph.AddConstant("back", TensorData.Vector<long>(4, 4)));
        var model = bench.Save(net.Build((net.BatchNorm("bn", net.Linear("a", y, 4, 4), 4), [4, 4])));
        var (_, text, _) = Workbench.Run("inspect", model);
        Assert.Contains("import      NoticeTrainingForm: 'bn': batch normalisations are in training form", text);
        Assert.Contains("import      MakeBatchDynamic: 'x': the batch of 4 baked into the file becomes N.", text);
        Assert.Contains("import      MakeBatchDynamic: 'Reshape': its shape [4,2,2] becomes [-1,2,2].", text);
        Assert.Contains("import      MakeBatchDynamic: 33 more, which --json lists.", text);
        Assert.Contains("input       x: float32[4,4]", text);
        var facts = JsonNode.Parse(Workbench.Run("inspect", model, "--json").Output)!;
        Assert.AreEqual(42, facts["import"]!.AsArray().Count);
        CollectionAssert.AreEqual((string[])["pass", "action", "subjects", "message"], facts["import"]![0]!.AsObject().Select(p => p.Key).ToArray());
    }

    [TestMethod]
    public void Nodes_out_of_order_are_told_of_once()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var (x, late) = (net.Input("xx", Dim.Symbol("N"), 4), net.Graph.AddValue("pp"));
        var first = net.Op("Tanh", x);
        net.Graph.AddNode("Neg", [x], [late]);
        // What the first node reads is the first name in the file; now it reads what the second node makes.
        var bytes = OnnxFile.ToBytes(net.Build((net.LayerChoice("l", null, first, late), [Dim.Symbol("N"), 4])));
        var at = bytes.AsSpan().IndexOf("xx"u8);
        "pp"u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(bench["net.onnx"], bytes);
        var (_, output, error) = Workbench.Run("inspect", bench["net.onnx"]);
        Assert.Contains("import      SortNodes: 'Tanh': nodes that stood before", output);
        Assert.AreEqual("", error);
        File.WriteAllText(bench["arch.json"], """{"l":"1"}""");
        var pruned = Workbench.Run("prune", bench["net.onnx"], "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
        Assert.AreEqual((0, $"note: '{bench["net.onnx"]}': 'Tanh': nodes that stood before nodes they read from are put in order.{Environment.NewLine}"), (pruned.Code, pruned.Error));
        var stamped = Workbench.Run("stamp", bench["net.onnx"], "-o", bench["stamped.onnx"]);
        Assert.AreEqual((0, 1), (stamped.Code, stamped.Error.Count(c => c == '\n')));
        Assert.AreEqual("", Workbench.Run("stamp", bench["stamped.onnx"], "-o", bench["again.onnx"]).Error);
        Assert.AreEqual(0, Workbench.Run("verify", bench["net.onnx"]).Code);
    }

    [TestMethod]
    public void MACs_too_large_to_count_are_left_out_with_a_warning()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        Dim[] dims = [Dim.Symbol("N"), Dim.Parse("9223372036854775807"), 4];
        var y = net.Op("MatMul", net.Input("x", dims), net.Weight("w", 4, 4));
        var (code, output, error) = Workbench.Run("inspect", bench.Save(net.Build((y, dims))), "--json");
        Assert.AreEqual((0, ""), (code, error));
        Assert.Contains(", since its extents are not known, or too large", JsonNode.Parse(output)!["warnings"]!.ToJsonString());
    }

    [TestMethod]
    [DataRow("unet-baked", "MakeBatchDynamic", "the batch of 2 baked into the file becomes N")]
    [DataRow("mlp-eval", "SeparateMergedConstants", "running statistics that shared a tensor")]
    [DataRow("mlp-eval", "NoticeTrainingForm", "batch normalisations are in inference form")]
    [DataRow("shufflenet_v2_x0_5-eval", "NoticeFoldedNormalization", "most likely batch normalisation, has been folded")]
    public void Inspect_says_what_was_found_in_real_exports(string name, string pass, string message)
    {
        var (code, output, _) = Workbench.Run("inspect", RepositoryFiles.Shared("models", name + ".onnx"), "--json");
        Assert.AreEqual(0, code);
        Assert.Contains(f => (string)f!["pass"]! == pass && ((string)f["message"]!).Contains(message, StringComparison.Ordinal), JsonNode.Parse(output)!["import"]!.AsArray());
    }

    [TestMethod]
    public void Verify_has_a_row_per_path_and_the_counts()
    {
        using var bench = new Workbench();
        var good = bench.Classifier();
        var net = new NetBuilder();
        var strange = bench.Save(net.Build((net.Op("RegexFullMatch", net.Input("x", 2, 4)), [2, 4])), "strange.onnx");
        File.WriteAllText(bench["broken.onnx"], "broken");
        var wrong = Case(bench, "wrong", 1);
        var right = Case(bench, "right", 0);
        var (code, output, _) = Workbench.Run("verify", good, strange, bench["broken.onnx"], wrong, right, bench["absent.onnx"], "--json");
        Assert.AreEqual(1, code);
        var summary = JsonNode.Parse(output)!.AsObject();
        CollectionAssert.AreEqual((string[])["results", "passed", "failed", "unsupported", "errors", "crashed"], summary.Select(p => p.Key).ToArray());
        var rows = summary["results"]!.AsArray();
        foreach (var row in rows)
            CollectionAssert.AreEqual((string[])["path", "status", "max_abs_diff", "message"], row!.AsObject().Select(p => p.Key).ToArray());
        CollectionAssert.AreEqual((string[])["pass", "unsupported", "error", "fail", "pass", "error"], rows.Select(r => (string)r!["status"]!).ToArray());
        Assert.AreEqual((2, 1, 1, 2), ((int)summary["passed"]!, (int)summary["failed"]!, (int)summary["unsupported"]!, (int)summary["errors"]!));
        Assert.Contains("RegexFullMatch", (string)rows[1]!["message"]!);
        Assert.AreEqual(1, (double)rows[3]!["max_abs_diff"]!, 1e-5);
        Assert.IsNull(rows[1]!["max_abs_diff"]);
        Assert.AreEqual(0, Workbench.Run("verify", good, strange, "--json").Code);
    }

    [TestMethod]
    public void Well_known_nets_agree_with_onnx_runtime_and_where_rounding_decides_it_is_said()
    {
        var nets = RepositoryFiles.Shared("onnx-model-tests/light");
        var (code, output, _) = Workbench.Run(["verify", .. Directory.GetFiles(nets, "*.onnx"), "--json"]);
        Assert.AreEqual(0, code, output);
        var rows = JsonNode.Parse(output)!["results"]!.AsArray();
        Assert.HasCount(9, rows);
        foreach (var row in rows)
            Assert.AreEqual("pass", (string)row!["status"]!, output);
        // Its logits are 6.7e9, and all of one class differ from those of another by rounding alone.
        var reserved = rows.Where(r => ((string)r!["message"]!).Length > 0).Select(r => Path.GetFileNameWithoutExtension((string)r!["path"]!));
        Assert.IsEmpty(reserved.Except(["light_squeezenet"]));
    }

    [TestMethod]
    public void Choices_within_a_function_of_the_model_are_found()
    {
        using var bench = new Workbench();
        var path = bench.Save(CallOf((body, x) => body.Call("LayerChoice", [body.Call("Relu", [x]), body.Call("Tanh", [x])], domain: "org.onnxnas", attributes: [Attr.Of("label", "act")])));
        var facts = JsonNode.Parse(Workbench.Run("inspect", path, "--json").Output)!;
        Assert.AreEqual("act", (string)facts["choices"]![0]!["label"]!);
        Assert.IsEmpty(facts["unsupported"]!.AsArray());
        File.WriteAllText(bench["arch.json"], """{"act":"1"}""");
        Assert.AreEqual((0, "", ""), Workbench.Run("prune", path, "--arch", bench["arch.json"], "-o", bench["plain.onnx"]));
        Assert.AreEqual("Tanh", OnnxFile.Read(bench["plain.onnx"]).Graph.Nodes.Single().OpType);
    }

    [TestMethod]
    public void A_model_with_a_function_computes_what_onnx_runtime_does()
    {
        using var bench = new Workbench();
        var (code, output, _) = Workbench.Run("verify", bench.Save(CallOf((body, x) => body.Call("Exp", [body.Call("Neg", [x])]))), "--json");
        Assert.AreEqual((0, 1), (code, (int)JsonNode.Parse(output)!["passed"]!));
    }

    [TestMethod]
    public void Control_characters_in_names_reach_neither_output_nor_error()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", 2, 4);
        var model = bench.Save(net.Build((net.LayerChoice("a\u001b[31mred", ["\u0007", "b"], x, net.Op("RegexFullMatch", x)), [2, 4])));
        File.WriteAllText(bench["arch.json"], "{}");
        foreach (string[] args in new string[][] { ["inspect", model], ["verify", model], ["prune", model, "--arch", bench["arch.json"], "-o", bench["out.onnx"]], ["search", model] })
        {
            var (_, output, error) = Workbench.Run(args);
            Assert.DoesNotContain(c => char.IsControl(c) && c is not ('\n' or '\r'), (output + error).ToCharArray(), args[0]);
        }
    }

    [TestMethod]
    public void Stamp_writes_a_model_that_onnx_runtime_runs_and_a_second_stamp_changes_nothing()
    {
        using var bench = new Workbench();
        Assert.AreEqual((0, "", ""), Workbench.Run("stamp", bench.Classifier(), "-o", bench["once.onnx"]));
        Assert.AreEqual((0, "", ""), Workbench.Run("stamp", bench["once.onnx"], "-o", bench["twice.onnx"]));
        CollectionAssert.AreEqual(File.ReadAllBytes(bench["once.onnx"]), File.ReadAllBytes(bench["twice.onnx"]));
        using var session = new OnnxSession(bench["once.onnx"]);
        Assert.HasCount(1, session.Run(RandomInputs.For(session, 1)));
    }

    [TestMethod]
    public void Prune_writes_the_plain_model_of_an_architecture()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        File.WriteAllText(bench["arch.json"], """{"op":"none","inputs":["1","2"]}""");
        Assert.AreEqual((0, "", ""), Workbench.Run("prune", model, "--arch", bench["arch.json"], "-o", bench["plain.onnx"]));
        var plain = OnnxFile.Read(bench["plain.onnx"]);
        PlainModel.Check(plain, OnnxFile.Read(model), "plain.onnx");
        CollectionAssert.AreEqual((string[])["Gemm"], plain.Graph.Nodes.Select(n => n.OpType).ToArray());
    }

    [TestMethod]
    public void Help_tells_of_every_verb()
    {
        var (code, output, _) = Workbench.Run("--help");
        Assert.AreEqual(0, code);
        foreach (var verb in new[] { "search", "inspect", "prune", "verify", "stamp" })
            Assert.Contains(verb, output);
    }

    // y = tanh(x), with the right answer moved by a number.
    private static Model CallOf(Func<Graph, Value, Value> build)
    {
        var body = new Graph("f");
        body.AddOutput(build(body, body.AddInput("a")));
        var net = new NetBuilder();
        var model = net.Build((net.Graph.Call("f", [net.Input("x", 2, 4)], domain: "local"), [2, 4]));
        var function = new Function("local", "f", body);
        (function.OpsetImports[""], function.OpsetImports["org.onnxnas"], model.OpsetImports["local"]) = (model.Opset, 1, 1);
        model.Functions.Add(function);
        return model;
    }

    private static string Case(Workbench bench, string name, float off)
    {
        Directory.CreateDirectory(bench[$"{name}/test_data_set_0"]);
        var net = new NetBuilder();
        bench.Save(net.Build((net.Op("Tanh", net.Input("x", 2)), [2])), $"{name}/model.onnx");
        File.WriteAllBytes(bench[$"{name}/test_data_set_0/input_0.pb"], Tensor(0.5f, -0.25f));
        File.WriteAllBytes(bench[$"{name}/test_data_set_0/output_0.pb"], Tensor(MathF.Tanh(0.5f) + off, MathF.Tanh(-0.25f)));
        return bench[name];
    }

    // TensorProto { dims: 2, data_type: FLOAT, raw_data }
    private static byte[] Tensor(float a, float b) => [0x08, 2, 0x10, 1, 0x4a, 8, .. BitConverter.GetBytes(a), .. BitConverter.GetBytes(b)];
}
