using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Choices;

[TestClass]
public sealed class MarkerFunctionsTests
{
    [TestMethod]
    [DataRow("nb201.onnx"), DataRow("nb201-digits.onnx"), DataRow("nb201-hard.onnx"), DataRow("nb201-hard-125.onnx"), DataRow("nested.onnx")]
    public void A_stamped_file_runs_in_onnx_runtime_and_takes_the_first_candidates(string file) =>
        RunsAsFirstCandidates(OnnxFile.Read(RepositoryFiles.Shared("models", file)));

    [TestMethod]
    [DataRow("nb201-digits.onnx"), DataRow("nested.onnx")]
    public void Stamping_twice_is_stamping_once(string file)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", file));
        MarkerFunctions.Stamp(model);
        var once = OnnxFile.ToBytes(model);
        MarkerFunctions.Stamp(model);
        CollectionAssert.AreEqual(once, OnnxFile.ToBytes(model));
        var reread = OnnxFile.Read(once);
        MarkerFunctions.Stamp(reread);
        CollectionAssert.AreEqual(once, OnnxFile.ToBytes(reread));
    }

    [TestMethod]
    public void Concatenations_of_any_count_and_axis_run_side_by_side()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 3, 4);
        Value[] inputs = [x, net.Op("Tanh", x), net.Op("Relu", x)];
        Value Joined(string label, long chosen, long axis) => net.Graph.Call("InputChoice", inputs, $"{label}.y", "org.onnxnas",
            [Attr.Of("label", label), Attr.Of("n_chosen", chosen), Attr.Of("reduction", "concat"), Attr.Of("axis", axis)]);
        RunsAsFirstCandidates(net.Build(
            (Joined("one", 1, 1), [3, 4]), (Joined("two", 2, 1), [3, 8]), (Joined("three", 3, 1), [3, 12]), (Joined("rows", 2, 0), [6, 4]), (Joined("last", 2, -1), [3, 8]),
            (net.InputChoice("sum", 2, "sum", inputs), [3, 4]), (net.LayerChoice("layer", null, inputs[1], inputs[2]), [3, 4])));
    }

    [TestMethod]
    [DataRow(0), DataRow(2), DataRow(4)]
    public void Wide_markers_unfold_to_what_the_functions_compute(int most)
    {
        var net = new NetBuilder();
        var x = net.Input("x", 3, 4);
        Value[] inputs = [net.Op("Tanh", x), x, net.Op("Relu", x)];
        var joined = net.Graph.Call("InputChoice", inputs, "joined.y", "org.onnxnas", [Attr.Of("label", "joined"), Attr.Of("n_chosen", 2L), Attr.Of("reduction", "concat"), Attr.Of("axis", 0L)]);
        var inner = net.LayerChoice("inner", null, inputs[2], inputs[0]);
        var model = net.Build((joined, [6, 4]), (net.Op("Neg", net.LayerChoice("layer", null, inner, inputs[0], inputs[1])), [3, 4]), (net.InputChoice("sum", 2, "sum", inputs), [3, 4]));
        var unfolded = model.Clone();
        MarkerFunctions.Stamp(model);
        MarkerFunctions.Unfold(unfolded, most);
        Assert.AreEqual(most switch { 4 => 4, _ => 0 }, unfolded.Graph.Nodes.Count(Markers.IsMarker));
        if (most == 4)
            MarkerFunctions.Stamp(unfolded);
        using var expected = new OnnxSession(OnnxFile.ToBytes(model));
        using var actual = new OnnxSession(OnnxFile.ToBytes(unfolded));
        CollectionAssert.AreEqual(expected.Outputs.Select(o => o.Name).ToArray(), actual.Outputs.Select(o => o.Name).ToArray());
        var feeds = RandomInputs.For(expected, 5);
        foreach (var (a, b) in expected.Run(feeds).Zip(actual.Run(feeds)))
            CollectionAssert.AreEqual(a.Bytes.ToArray(), b.Bytes.ToArray());
    }

    [TestMethod]
    public void Removing_leaves_no_function_and_no_overload()
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", "nested.onnx"));
        MarkerFunctions.Stamp(model);
        MarkerFunctions.Remove(model);
        Assert.IsEmpty(model.Functions);
        Assert.IsTrue(model.Graph.Nodes.All(n => n.Overload.Length == 0));
    }

    [TestMethod]
    public void Removing_leaves_no_overload_in_bodies_of_other_functions()
    {
        var model = new NetBuilder().Build();
        var body = new Graph("f");
        body.Call("LayerChoice", [body.AddInput("x")], domain: "org.onnxnas");
        body.Last!.Overload = "joined";
        model.Functions.Add(new Function("local", "f", body));
        MarkerFunctions.Remove(model);
        Assert.AreEqual("", model.Functions.Single().Body.Last!.Overload);
    }

    [TestMethod]
    public void A_model_without_choices_cannot_be_stamped()
    {
        var net = new NetBuilder();
        var model = net.Build((net.Op("Tanh", net.Input("x", 2)), [2]));
        Assert.ThrowsExactly<ChoiceException>(() => MarkerFunctions.Stamp(model));
    }

    // The markers as operators of TorchSharp are the independent side: they never look at function bodies.
    private static void RunsAsFirstCandidates(Model model)
    {
        MarkerFunctions.Stamp(model);
        new Ir.Passes.ToInferenceForm().Run(model);
        using var session = new OnnxSession(OnnxFile.ToBytes(model), new() { Threads = 1 });
        var feeds = RandomInputs.For(session, 3);
        var actual = session.Run(feeds);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var module = new GraphModule(model, SupernetOperators.Registry);
        var expected = module.Forward(feeds.ToDictionary(f => f.Key, f => f.Value.ToTorch()));
        for (var i = 0; i < expected.Count; i++)
        {
            var result = Parity.Compare(actual[i], expected[i].ToTensorData());
            Assert.IsTrue(result.Passed, $"output {i}: {result.Message}");
        }
    }
}
