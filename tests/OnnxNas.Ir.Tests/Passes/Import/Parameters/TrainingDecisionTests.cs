using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators;

namespace OnnxNas.Ir.Tests.Passes.Import.Parameters;

[TestClass]
public sealed class TrainingDecisionTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    [DataRow("gamma", "test", true)]
    [DataRow("block.scale", "test", true)]
    [DataRow("onnx::Mul_73", "pytorch", false)]
    [DataRow("/act/Constant_output_0", "pytorch", false)]
    [DataRow("const_fold_opt__12", "tf2onnx", false)]
    [DataRow("p", "pytorch", true)]
    [DataRow("p", "test", false)]
    [DataRow("zero", "pytorch", false)]
    [DataRow("norm.eps", "pytorch", false)]
    public void One_number_trains_where_its_name_is_a_parameters(string name, string producer, bool trains)
    {
        foreach (var value in new[] { 0f, 0.5f })
        {
            var net = Net(producer);
            net.Output("y", net.Call("Mul", Hidden(net), Named(net, name, TensorData.Vector(value))));
            Assert.AreEqual(trains, Trains(net, name), $"{name} = {value} of {producer}");
        }
    }

    [TestMethod]
    public void One_number_in_the_place_of_a_weight_or_a_bias_trains_whatever_its_name()
    {
        var net = Net("test");
        var h = net.Call("MatMul", net.Input("x", N, 4), Named(net, "onnx::MatMul_3", TensorData.Create<float>([4, 1], [1, 2, 3, 4])));
        h = net.Call("Add", h, Named(net, "onnx::Add_4", TensorData.Vector(0.5f)));
        h = net.Call("PRelu", h, Named(net, "onnx::PRelu_5", TensorData.Vector(0.25f)));
        net.Output("y", net.Call("Gemm", h, Named(net, "k", TensorData.Create<float>([1, 1], [2f]))));
        Assert.AreEqual("onnx::MatMul_3 onnx::Add_4 onnx::PRelu_5 k", string.Join(' ', Decide(net).Trained.Select(v => v.Name)));
    }

    [TestMethod]
    [DataRow("Round")]
    [DataRow("Sign")]
    public void What_a_gradient_cannot_pass_does_not_train_and_the_operator_is_named(string step)
    {
        var net = Net();
        net.Output("y", net.Call("Mul", Hidden(net), net.Call(step, Named(net, "gate.weight", TensorData.Vector(0.1f, 1, 2, 3)))));
        Refused(net, "gate.weight", step, meant: true);
    }

    [TestMethod]
    public void Casts_to_integers_comparisons_and_inputs_that_decide_shapes_pass_no_gradient()
    {
        var net = Net();
        var h = Hidden(net);
        var whole = net.Call("Cast", [Attr.Of("to", 6L)], Named(net, "a.weight", TensorData.Vector(0.1f, 1, 2, 3)));
        h = net.Call("Mul", h, net.Call("Cast", [Attr.Of("to", 1L)], whole));
        h = net.Call("Where", net.Call("Greater", h, Named(net, "b.weight", TensorData.Vector(0.1f, 1, 2, 3))), h, net.Call("Tanh", h));
        net.Output("y", net.Call("Resize", h, null, Named(net, "c.weight", TensorData.Vector(1f, 2f))));
        Refused(net, "a.weight", "Cast", meant: true);
        Refused(net, "b.weight", "Greater", meant: true);
        Refused(net, "c.weight", "Resize", meant: true);
    }

    [TestMethod]
    public void A_constant_that_one_reader_takes_for_a_mask_and_another_for_a_weight_trains()
    {
        var net = Net();
        var gate = Named(net, "gate.weight", TensorData.Vector(0f, 1, 1, 0));
        net.Output("y", net.Call("Mul", Hidden(net), gate));
        Refused(net, "gate.weight", "mask", meant: false);
        var both = Net();
        gate = Named(both, "gate.weight", TensorData.Vector(0f, 1, 1, 0));
        both.Output("y", both.Call("LayerNormalization", both.Call("Mul", Hidden(both), gate), gate));
        Assert.IsTrue(Trains(both, "gate.weight"));
    }

    [TestMethod]
    public void Masks_tables_of_sines_buffers_and_literals_do_not_train_whichever_nodes_move_them()
    {
        var net = Net();
        var h = Hidden(net);
        h = net.Call("Add", h, net.Call("Expand", net.Call("Unsqueeze", Named(net, "causal", TensorData.Vector(0f, -1e9f, 0, -1e9f)), net.Ints(0)), net.Ints(1, 4)));
        var table = TensorData.Create<float>([8, 4], [.. Enumerable.Range(0, 32).Select(i => (float)(i % 4 < 2 ? Math.Sin(i / 4 * Math.Pow(0.01, i % 2)) : Math.Cos(i / 4 * Math.Pow(0.01, i % 2))))]);
        h = net.Call("Add", h, net.Call("Gather", Named(net, "positions", table), net.Ints(3)));
        h = net.Call("Add", h, Named(net, "model.anchors", TensorData.Vector(1f, 2, 3, 5)));
        h = net.Call("Mul", h, net.Call("Constant", [Attr.Of("value", TensorData.Vector(3f, 1, 2, 4))]));
        net.Output("y", net.Call("Mul", net.Call("BatchNormalization", h, net.Weight(4), net.Weight(4), Named(net, "m", TensorData.Vector(0f, 0, 0, 1)), Named(net, "v", TensorData.Vector(1f, 2, 1, 1))), Named(net, "learned", TensorData.Vector(1f, 2, 3, 5))));
        var fixedOnes = Decide(net).Fixed.ToDictionary(f => f.Name, f => f.Reason);
        foreach (var (name, reason) in new[] { ("causal", "mask"), ("positions", "sines"), ("model.anchors", "anchors"), ("m", "statistics"), ("v", "statistics") })
            StringAssert.Contains(fixedOnes[name], reason, name);
        Assert.IsTrue(fixedOnes.Values.Any(r => r.Contains("Constant node", StringComparison.Ordinal)));
        Assert.IsTrue(Trains(net, "learned"));
    }

    [TestMethod]
    public void Weights_of_integers_are_listed()
    {
        var net = Net();
        var w = net.Graph.AddInitializer("w.quantised", TensorData.Create<sbyte>([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
        net.Output("y", net.Call("MatMul", Hidden(net), net.Call("Mul", net.Call("Cast", [Attr.Of("to", 1L)], w), Named(net, "w.scale", TensorData.Vector(0.1f, 0.2f)))));
        Refused(net, "w.quantised", "integers", meant: true);
        Refused(net, "w.scale", "scales a weight of integers", meant: false);
    }

    [TestMethod]
    public void Patterns_overrule_the_rule_and_what_is_trained_wins()
    {
        var net = Net();
        var h = net.Call("MatMul", net.Input("x", N, 4), Named(net, "body.weight", TensorData.Create<float>([4, 4], new float[16])));
        net.Output("y", net.Call("Mul", net.Call("Mul", h, Named(net, "head.gain", TensorData.Vector(1f, 2, 3, 4))), Named(net, "onnx::Mul_3", TensorData.Vector(0.5f))));
        var decided = TrainingDecision.Of(net.Model, OperatorRegistry.Default, new(["*"], ["head.*", "onnx::Mul_?"]));
        Assert.AreEqual("head.gain onnx::Mul_3", string.Join(' ', decided.Trained.Select(v => v.Name)));
        StringAssert.Contains(decided.Fixed.Single().Reason, "pattern '*'");
    }

    [TestMethod]
    public void Patterns_that_match_nothing_or_ask_for_what_no_gradient_reaches_are_refused()
    {
        var net = Net();
        net.Output("y", net.Call("Mul", Hidden(net), net.Call("Round", Named(net, "gate", TensorData.Vector(1f, 2, 3, 4)))));
        foreach (var (patterns, what) in new[] { (new TrainingPatterns(["gat"], []), "'gat'"), (new([], ["Gate"]), "'Gate'"), (new([], ["g*"]), "Round") })
            StringAssert.Contains(Assert.ThrowsExactly<UsageException>(() => TrainingDecision.Of(net.Model, OperatorRegistry.Default, patterns)).Message, what);
    }

    [TestMethod]
    public void Running_statistics_are_not_trained_by_a_pattern()
    {
        var net = Net();
        var statistics = new[] { "bn.weight", "bn.bias", "bn.mean", "bn.var" }.Select(name => Named(net, name, TensorData.Vector(1f, 2, 3, 4)));
        net.Output("y", net.Call("BatchNormalization", [Hidden(net), .. statistics]));
        var decided = TrainingDecision.Of(net.Model, OperatorRegistry.Default, new([], ["bn.*"]));
        CollectionAssert.AreEquivalent((string[])["bn.mean", "bn.var"], decided.Fixed.Select(f => f.Name).ToArray());
        StringAssert.Contains(
            Assert.ThrowsExactly<UsageException>(() => TrainingDecision.Of(net.Model, OperatorRegistry.Default, new([], ["bn.mean"]))).Message,
            "running statistics");
    }

    [TestMethod]
    public void A_decision_is_copied_with_the_graph_and_folding_makes_no_weights()
    {
        var net = Net();
        net.Output("y", net.Call("Mul", Hidden(net), Named(net, "gate", TensorData.Vector(1f, 2, 3, 4))));
        Assert.IsFalse(TrainingDecision.IsMade(net.Model));
        TrainingDecision.Ensure(net.Model, OperatorRegistry.Default);
        var copy = net.Model.Clone();
        Assert.IsTrue(TrainingDecision.IsMade(copy));
        Assert.IsTrue(copy.Graph.Find("gate")!.Trains);
        copy.Graph.AddInitializer("later", TensorData.Vector(1f, 2));
        TrainingDecision.Ensure(copy, OperatorRegistry.Default);
        Assert.IsNull(copy.Graph.Find("later")!.Trains);
    }

    private static ModelBuilder Net(string producer = "pytorch")
    {
        var net = new ModelBuilder();
        net.Model.ProducerName = producer;
        return net;
    }

    private static Value Hidden(ModelBuilder net) => net.Call("Tanh", net.Call("MatMul", net.Input("x", N, 4), net.Weight(4, 4)));

    private static Value Named(ModelBuilder net, string name, TensorData data) => net.Graph.AddInitializer(name, data);

    private static TrainingDecision Decide(ModelBuilder net) => TrainingDecision.Of(net.Model, OperatorRegistry.Default);

    private static bool Trains(ModelBuilder net, string name) => Decide(net).Trained.Contains(net.Graph.Find(name)!);

    private static void Refused(ModelBuilder net, string name, string reason, bool meant)
    {
        var decided = Decide(net).Fixed.Single(f => f.Name == name);
        StringAssert.Contains(decided.Reason, reason, name);
        Assert.AreEqual(meant, decided.MayBeMeant, name);
    }
}
