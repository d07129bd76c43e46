using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Rewriting;

[TestClass]
public sealed class PrunerTests
{
    private static readonly string[] Names = ["a", "b"];

    [TestMethod]
    public void Every_architecture_of_the_nested_model_computes_what_the_supernet_computes_one_hot()
    {
        var marked = OnnxFile.Read(RepositoryFiles.Shared("models", "nested.onnx"));
        var space = SearchSpace.Read(marked);
        var all = OneHot.All(space).ToList();
        Assert.HasCount(324, all);
        Assert.HasCount(324, all.Distinct());
        Assert.AreEqual("324", space.Size.Digits);
        foreach (var architecture in all)
            OneHot.CheckPruned(marked, architecture);
    }

    [TestMethod]
    public void Architectures_of_nas_bench_201_compute_what_the_supernet_computes_one_hot()
    {
        var marked = OnnxFile.Read(RepositoryFiles.Shared("models", "nb201-digits.onnx"));
        var space = SearchSpace.Read(marked);
        var random = new SeededRandom(5);
        var some = new List<Architecture>();
        for (var k = 0; k < space.Choices.Max(c => c.Candidates.Count); k++)
            some.Add(Same(space, k)); // All none, all skip, and each candidate of each choice.
        for (var i = 0; i < 3; i++)
            some.Add(Architecture.Random(space, random));
        some.Add(new(space, space.Choices.Select((c, i) => (c.Label, Pick: (IReadOnlyList<int>)[i % 2 == 0 ? IndexOf(c, "none") : IndexOf(c, "conv3x3")])).ToDictionary(p => p.Label, p => p.Pick)));
        foreach (var architecture in some)
            OneHot.CheckPruned(marked, architecture);
        Assert.AreEqual(space.Choices.Sum(c => c.Candidates.Count), some.SelectMany(a => a.Selections.Select(s => (s.Key, s.Value[0]))).Distinct().Count());
    }

    [TestMethod]
    public void A_choice_that_is_a_graph_output_leaves_its_name_to_the_winner()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var y = net.LayerChoice("out", Names, net.Linear("l", x, 4, 4), net.Op("Tanh", x));
        CheckAll(net.Build((y, [Dim.Symbol("N"), 4])));
    }

    [TestMethod]
    public void A_candidate_may_be_a_graph_input_or_a_constant_even_where_the_choice_is_a_graph_output()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 3, 4);
        var c = net.Weight("c", 3, 4);
        var first = net.LayerChoice("first", ["in", "constant", "relu"], x, c, net.Op("Relu", x));
        var second = net.LayerChoice("second", null, x, first, c);
        CheckAll(net.Build((first, [3, 4]), (second, [3, 4])));
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean")]
    public void Integers_are_added_up_too_and_have_no_mean(string reduction)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        Value[] inputs = [.. Enumerable.Range(1, 4).Select(i => net.Op("Cast", [net.Op("Mul", x, net.Constant($"times{i}", [], _ => 3 * i))], Attr.Of("to", (long)ElementType.Int64)))];
        var model = net.Build((net.Op("Cast", [net.InputChoice("i", 3, reduction, inputs)], Attr.Of("to", (long)ElementType.Float32)), [Dim.Symbol("N"), 4]));
        if (reduction == "sum")
        {
            ShapeInference.Run(model, SupernetOperators.Registry);
            CheckAll(model);
            return;
        }

        Assert.Contains("Int64", Assert.ThrowsExactly<ChoiceException>(() => ShapeInference.Run(model, SupernetOperators.Registry)).Message);
    }

    [TestMethod]
    public void One_value_may_be_several_candidates_and_several_outputs()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var (a, b) = (net.Linear("a", x, 4, 4), net.Op("Sigmoid", x));
        var choice = net.LayerChoice("l", null, a, a, b);
        var sum = net.InputChoice("i", 2, "sum", a, a, choice);
        CheckAll(net.Build((choice, [Dim.Symbol("N"), 4]), (sum, [Dim.Symbol("N"), 4]), (a, [Dim.Symbol("N"), 4])));
    }

    [TestMethod]
    public void A_choice_may_feed_a_choice_directly()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var inner = net.LayerChoice("inner", null, net.Linear("a", x, 4, 4), net.Op("Relu", x));
        var middle = net.LayerChoice("middle", null, inner, x);
        var outer = net.InputChoice("outer", 1, "mean", middle, inner);
        CheckAll(net.Build((outer, [Dim.Symbol("N"), 4])));
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean"), DataRow("concat")]
    public void Any_number_of_inputs_is_joined_as_the_marker_says(string reduction)
    {
        foreach (var chosen in reduction == "concat" ? new long[] { 1, 2, 3 } : [0, 1, 2, 3])
        {
            var net = new NetBuilder();
            var x = net.Input("x", Dim.Symbol("N"), 4);
            var joined = net.InputChoice("i", chosen, reduction, net.Linear("a", x, 4, 4), net.Op("Tanh", x), net.Op("Sigmoid", x));
            var width = reduction == "concat" ? 4 * chosen : 4;
            CheckAll(net.Build((joined, [Dim.Symbol("N"), width])));
        }
    }

    [TestMethod]
    public void Markers_of_one_label_are_decided_together()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var first = net.LayerChoice("shared", Names, net.Linear("a", x, 4, 4), net.Op("Tanh", x));
        var second = net.LayerChoice("shared", Names, net.Linear("b", first, 4, 4), net.Op("Relu", first));
        var marked = net.Build((second, [Dim.Symbol("N"), 4]));
        Assert.HasCount(2, CheckAll(marked));
        var ops = Pruner.Prune(marked, Architecture.Parse(SearchSpace.Read(marked), """{"shared":"b"}""")).Graph.Nodes.Select(n => n.OpType);
        CollectionAssert.AreEqual((string[])["Tanh", "Relu"], ops.ToArray());
    }

    [TestMethod]
    public void Batch_normalization_in_training_form_and_dropout_leave_in_inference_form()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 3);
        var dropped = net.Graph.AddValue("dropped");
        net.Graph.AddNode("Dropout", [net.BatchNorm("bn", x, 3), null, net.Graph.AddInitializer("on", TensorData.Scalar(true))], [dropped, net.Graph.AddValue("mask")]);
        CheckAll(net.Build((net.LayerChoice("l", null, dropped, net.BatchNorm("other", x, 3)), [Dim.Symbol("N"), 3])));
    }

    [TestMethod]
    public void What_is_multiplied_by_zero_goes_with_everything_that_fed_it()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var none = net.Op("Mul", net.Linear("gone", x, 4, 4), net.Constant("zero", [], _ => 0));
        var edge = net.LayerChoice("edge", ["none", "tanh"], none, net.Op("Tanh", x));
        var marked = net.Build((net.Op("Add", edge, net.Linear("kept", x, 4, 4)), [Dim.Symbol("N"), 4]));
        foreach (var architecture in CheckAll(marked))
        {
            var plain = OneHot.CheckPruned(marked, architecture);
            Assert.DoesNotContain(i => i.Name.StartsWith("gone", StringComparison.Ordinal), plain.Graph.Initializers);
            Assert.AreEqual(architecture["edge"][0] == 0 ? 1 : 3, plain.Graph.NodeCount, architecture.ToString());
        }
    }

    [TestMethod]
    public void Marker_metadata_on_model_graph_nodes_and_values_goes_and_other_metadata_stays()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var tanh = net.Op("Tanh", x);
        var marked = net.Build((net.LayerChoice("l", null, tanh, x), [Dim.Symbol("N"), 4]));
        foreach (var metadata in new[] { marked.Metadata, marked.Graph.Metadata, tanh.Metadata, tanh.Producer!.Metadata })
            (metadata["org.onnxnas.region"], metadata["org.onnxnas"], metadata["kept"]) = ("l", "l", "yes");
        var plain = OneHot.CheckPruned(marked, Architecture.First(SearchSpace.Read(marked)));
        Assert.AreEqual("yes", plain.Metadata["kept"]);
        Assert.AreEqual("yes", plain.Graph.Nodes.Single().Metadata["kept"]);
    }

    [TestMethod]
    public void A_stamped_source_prunes_to_the_bytes_of_an_unstamped_one()
    {
        foreach (var file in new[] { "nested.onnx" })
        {
            var marked = OnnxFile.Read(RepositoryFiles.Shared("models", file));
            MarkerFunctions.Remove(marked);
            var stamped = marked.Clone();
            MarkerFunctions.Stamp(stamped);
            stamped.IrVersion = marked.IrVersion;
            var random = new SeededRandom(1);
            for (var i = 0; i < 5; i++)
            {
                var architecture = Architecture.Random(SearchSpace.Read(marked), random);
                CollectionAssert.AreEqual(Bytes(marked, architecture), Bytes(OnnxFile.Read(OnnxFile.ToBytes(stamped)), architecture), architecture.ToString());
            }
        }
    }

    [TestMethod]
    public void Pruning_leaves_the_marked_model_as_it_was()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var marked = net.Build((net.LayerChoice("l", null, net.Linear("a", x, 4, 4), net.BatchNorm("bn", x, 4)), [Dim.Symbol("N"), 4]));
        var before = OnnxFile.ToBytes(marked);
        foreach (var architecture in OneHot.All(SearchSpace.Read(marked)))
            Pruner.Finish(Pruner.Prune(marked, architecture));
        CollectionAssert.AreEqual(before, OnnxFile.ToBytes(marked));
    }

    [TestMethod]
    public void A_model_with_a_marker_left_is_not_plain()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var marked = net.Build((net.LayerChoice("l", null, net.Op("Tanh", x), x), [Dim.Symbol("N"), 4]));
        Assert.Contains("l.y", Assert.ThrowsExactly<ChoiceException>(() => Pruner.RequirePlain(marked)).Message);
    }

    [TestMethod]
    public void The_checks_of_a_plain_model_see_each_kind_of_leftover()
    {
        var source = Leftover(_ => { });
        PlainModel.Check(source, source, "clean");
        foreach (var damage in (Action<Graph>[])
        [
            g => g.Call("Tanh", [g.Inputs[0]]),
            g => g.AddInitializer("unused", TensorData.Scalar(1f)),
            g => g.Nodes.First().Metadata["org.onnxnas.label"] = "l",
            g => g.ReplaceAllUses(g.Outputs[0], g.Call("Mul", [g.Outputs[0].Producer!.Inputs[0], g.AddConstant("z", TensorData.Scalar(0f))])),
            g => g.Rename(g.Inputs[0], "other"),
        ])
        {
            Assert.ThrowsExactly<AssertFailedException>(() => PlainModel.Check(Leftover(damage), source, "damaged"));
        }
    }

    private static Model Leftover(Action<Graph> damage)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var model = net.Build((net.Linear("l", x, 4, 4), [Dim.Symbol("N"), 4]));
        damage(model.Graph);
        return model;
    }

    private static List<Architecture> CheckAll(Model marked)
    {
        var all = OneHot.All(SearchSpace.Read(marked)).ToList();
        foreach (var architecture in all)
            OneHot.CheckPruned(marked, architecture);
        return all;
    }

    private static Architecture Same(SearchSpace space, int k) =>
        new(space, space.Choices.ToDictionary(c => c.Label, c => (IReadOnlyList<int>)[k % c.Candidates.Count]));

    private static int IndexOf(Choice choice, string name) => choice.Candidates.ToList().FindIndex(c => c.Contains(name, StringComparison.Ordinal));

    private static byte[] Bytes(Model marked, Architecture architecture)
    {
        var plain = Pruner.Prune(marked, architecture);
        Pruner.Finish(plain);
        return OnnxFile.ToBytes(plain);
    }
}
