using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Choices;

[TestClass]
public sealed class SearchSpaceTests
{
    [TestMethod]
    public void The_nested_model_reads_as_it_was_made()
    {
        var space = SearchSpace.Read(OnnxFile.Read(RepositoryFiles.Shared("models", "nested.onnx")));
        Assert.AreEqual("324", space.Size.Digits);
        Assert.IsTrue(space.Choices.OfType<InputChoice>().Select(i => i.Reduction).Distinct().Count() == 3);
        Assert.IsTrue(space.Choices.Any(c => c.Nodes.Count > 1), "A label is shared.");
    }

    [TestMethod]
    public void Candidate_names_default_to_numbers_and_attributes_are_kept()
    {
        var space = Read((net, x) => net.LayerChoice("l", null, x, x, x));
        CollectionAssert.AreEqual((string[])["0", "1", "2"], space["l"].Candidates.ToArray());
        Assert.IsNull(((LayerChoice)space["l"]).Prior);
        var prior = Read((net, x) => Marker(net, "LayerChoice", [x, x], Attr.Of("label", "l"), Attr.Of("prior", (IEnumerable<float>)[0.25f, 0.75f])));
        CollectionAssert.AreEqual((float[])[0.25f, 0.75f], ((LayerChoice)prior["l"]).Prior!.ToArray());
        var input = (InputChoice)Read((net, x) => Marker(net, "InputChoice", [x, x], Attr.Of("label", "i")))["i"];
        Assert.AreEqual((1, Reduction.Sum, 1), (input.ChosenCount, input.Reduction, input.Axis));
    }

    [TestMethod]
    public void Malformed_markers_are_refused_by_name()
    {
        Refused("label", (net, x) => Marker(net, "LayerChoice", [x, x]));
        Refused("label", (net, x) => Marker(net, "LayerChoice", [x, x], Attr.Of("label", "")));
        Refused("label", (net, x) => Marker(net, "LayerChoice", [x, x], Attr.Of("label", 3L)));
        Refused("candidate", (net, x) => Marker(net, "LayerChoice", [], Attr.Of("label", "l")));
        Refused("candidate", (net, x) => Marker(net, "LayerChoice", [x, null], Attr.Of("label", "l")));
        Refused("names 1 candidates", (net, x) => net.LayerChoice("l", ["a"], x, x));
        Refused("distinct", (net, x) => net.LayerChoice("l", ["a", "a"], x, x));
        Refused("distinct", (net, x) => net.LayerChoice("l", ["a", ""], x, x));
        Refused("prior", (net, x) => Marker(net, "LayerChoice", [x, x], Attr.Of("label", "l"), Attr.Of("prior", (IEnumerable<float>)[1f])));
        Refused("'lable'", (net, x) => Marker(net, "LayerChoice", [x, x], Attr.Of("label", "l"), Attr.Of("lable", "l")));
        Refused("n_chosen is 3", (net, x) => net.InputChoice("i", 3, "sum", x, x));
        Refused("n_chosen is -1", (net, x) => net.InputChoice("i", -1, "sum", x, x));
        Refused("'max'", (net, x) => net.InputChoice("i", 1, "max", x, x));
        Refused("concat", (net, x) => net.InputChoice("i", 0, "concat", x, x));
        Refused("axis is 4294967297", (net, x) => Marker(net, "InputChoice", [x, x], Attr.Of("label", "i"), Attr.Of("axis", (1L << 32) + 1)));
        Refused("LayerChoice and InputChoice", (net, x) => Marker(net, "ValueChoice", [x, x], Attr.Of("label", "v")));
    }

    [TestMethod]
    public void Malformed_markers_are_refused_where_types_are_inferred_without_reading_the_choices()
    {
        foreach (var chosen in new[] { -1, 0, 4, 1L << 31, (1L << 32) + 1, long.MinValue, long.MaxValue })
            Untyped($"n_chosen {(chosen == 0 ? "= 0" : $"is {chosen}")}", (net, x) => net.InputChoice("i", chosen, "concat", x, x, x));
        Untyped("axis is", (net, x) => Marker(net, "InputChoice", [x, x], Attr.Of("label", "i"), Attr.Of("axis", long.MinValue)));
        Untyped("candidate", (net, x) => Marker(net, "LayerChoice", [], Attr.Of("label", "l")));
        Untyped("candidate", (net, x) => Marker(net, "InputChoice", [null, x], Attr.Of("label", "i")));
        Untyped("label", (net, x) => Marker(net, "LayerChoice", [x, x]));

        static void Untyped(string because, Func<NetBuilder, Value, Value> body)
        {
            var message = Assert.ThrowsExactly<ChoiceException>(() => ShapeInference.Run(Build(body), SupernetOperators.Registry)).Message;
            Assert.Contains(because, message);
        }
    }

    [TestMethod]
    public void Markers_of_one_label_that_disagree_are_refused_with_both_named()
    {
        Disagree("number of candidates", (net, x) => net.LayerChoice("s", null, x, x), (net, x) => net.LayerChoice("s", null, x, x, x));
        Disagree("candidate names", (net, x) => net.LayerChoice("s", ["a", "b"], x, x), (net, x) => net.LayerChoice("s", ["b", "a"], x, x));
        Disagree("operator", (net, x) => net.LayerChoice("s", null, x, x), (net, x) => net.InputChoice("s", 1, "sum", x, x));
        Disagree("n_chosen", (net, x) => net.InputChoice("s", 1, "sum", x, x), (net, x) => net.InputChoice("s", 2, "sum", x, x));
        Disagree("reduction", (net, x) => net.InputChoice("s", 1, "sum", x, x), (net, x) => net.InputChoice("s", 1, "mean", x, x));
        Disagree("prior", (net, x) => Marker(net, "LayerChoice", [x, x], Attr.Of("label", "s"), Attr.Of("prior", (IEnumerable<float>)[1f, 2f])), (net, x) => net.LayerChoice("s", null, x, x));
    }

    [TestMethod]
    public void A_marker_inside_a_subgraph_is_refused()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 2, 4);
        var branch = new Graph("branch", net.Graph);
        var inner = branch.AddValue("inner");
        branch.AddNode("LayerChoice", [x, x], [inner], "org.onnxnas", [Attr.Of("label", "l")], "hidden");
        branch.AddOutput(inner);
        var condition = net.Graph.AddInitializer("condition", TensorData.Scalar(true));
        var y = net.Op("If", [condition], Attr.Of("then_branch", branch), Attr.Of("else_branch", branch.Clone()));
        Assert.Contains("main graph", Assert.ThrowsExactly<ChoiceException>(() => SearchSpace.Read(net.Build((y, [2, 4])))).Message);
    }

    [TestMethod]
    public void Candidates_of_different_shapes_are_refused_with_both_named()
    {
        foreach (var strict in new[] { true, false })
        {
            var net = new NetBuilder();
            var x = net.Input("x", Dim.Symbol("N"), 4);
            var model = net.Build((net.LayerChoice("l", ["wide", "narrow"], x, net.Linear("a", x, 4, 3)), [Dim.Symbol("N"), 4]));
            var message = Assert.ThrowsExactly<ChoiceException>(() => ShapeInference.Run(model, SupernetOperators.Registry, strict)).Message;
            Assert.Contains("'wide'", message);
            Assert.Contains("'narrow'", message);
            Assert.Contains("[N,3]", message);
        }
    }

    [TestMethod]
    [DataRow(2L), DataRow(-3L), DataRow(7L)]
    public void A_concat_on_an_axis_the_inputs_lack_is_refused_by_name(long axis)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var y = Marker(net, "InputChoice", [x, x, x], Attr.Of("label", "joined"), Attr.Of("n_chosen", 2L), Attr.Of("reduction", "concat"), Attr.Of("axis", axis));
        var model = net.Build((y, [Dim.Symbol("N"), 8]));
        var message = Assert.Throws<OnnxNasException>(() => ShapeInference.Run(model, SupernetOperators.Registry)).Message;
        Assert.Contains($"axis {axis}", message);
    }

    private static Value Marker(NetBuilder net, string op, Value?[] inputs, params Attr[] attributes) => net.Graph.Call(op, inputs, "marker", "org.onnxnas", attributes);

    private static SearchSpace Read(Func<NetBuilder, Value, Value> body) => SearchSpace.Read(Build(body));

    private static Model Build(params Func<NetBuilder, Value, Value>[] bodies)
    {
        var net = new NetBuilder();
        var x = net.Input("x", 2, 4);
        return net.Build([.. bodies.Select(b => (b(net, x), (Dim[])[2, 4]))]);
    }

    private static void Refused(string because, Func<NetBuilder, Value, Value> body)
    {
        var message = Assert.Throws<OnnxNasException>(() => SearchSpace.Read(Build(body))).Message;
        Assert.Contains(because, message);
    }

    private static void Disagree(string difference, Func<NetBuilder, Value, Value> first, Func<NetBuilder, Value, Value> second)
    {
        var model = Build(first, second);
        var names = model.Graph.Nodes.Where(Markers.IsMarker).Select(n => n.Name).ToList();
        var message = Assert.ThrowsExactly<ChoiceException>(() => SearchSpace.Read(model)).Message;
        Assert.Contains(difference, message);
        foreach (var name in names)
            Assert.Contains($"'{name}'", message);
    }
}
