using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Passes.Import;

/// <summary>DropDefaultInputs, LiftParameters, SeparateMergedConstants, and what is noticed.</summary>
[TestClass]
public sealed class ParameterPassTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void Constants_listed_as_inputs_are_constants_only()
    {
        var net = new ModelBuilder(irVersion: 3);
        var (x, w) = (net.Input("x", N, 4), net.Weight(4, 2));
        net.Graph.AddInput(w.Name);
        var shape = net.Ints(-1, 2);
        net.Graph.AddInput(shape.Name);
        net.Output("y", net.Call("Reshape", net.Call("MatMul", x, w), shape));
        var before = OnnxFile.ToBytes(net.Model);
        var pass = new DropDefaultInputs();
        Assert.AreEqual(2, pass.Apply(net.Model));
        Assert.AreEqual("x", string.Join(' ', net.Graph.Inputs.Select(i => i.Name)));
        Assert.AreEqual(4, net.Model.IrVersion);
        CollectionAssert.AreEqual((string[])[w.Name, shape.Name], pass.Findings.Single().Subjects.ToArray());
        PassHarness.AssertSameAnswers(before, OnnxFile.ToBytes(net.Model));
        Assert.AreEqual(0, pass.Apply(net.Model));
    }

    [TestMethod]
    public void Weights_become_initializers_whichever_way_the_file_holds_them()
    {
        var net = new ModelBuilder();
        var filled = net.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(0.5f))], net.Ints(4, 2));
        var constant = net.Call("Constant", [Attr.Of("value", net.Weight(2).Initializer!)]);
        var h = net.Call("Gemm", net.Input("x", N, 4), filled, constant);
        // Neither a mask nor a shape is a weight.
        var masked = net.Call("Mul", h, net.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(1f))], net.Ints(1, 2)));
        var hidden = net.Call("Add", masked, net.Call("Constant", [Attr.Of("value_floats", [0f, -10000f])]));
        net.Output("y", net.Call("Reshape", hidden, net.Call("Constant", [Attr.Of("value_ints", [-1L, 2L])])));
        var pass = new LiftParameters(OperatorRegistry.Default);
        net.Check(pass, "Gemm ConstantOfShape Mul Constant Add Constant Reshape");
        Assert.AreEqual("Float32[4,2]", net.Graph.Find(filled.Name)!.Initializer!.ToString());
        Assert.IsTrue(net.Graph.Find(filled.Name)!.Initializer!.ToDoubles().All(v => v == 0.5));
        Assert.IsNotNull(net.Graph.Find(constant.Name)!.Initializer);
    }

    [TestMethod]
    public void Running_statistics_become_initializers_that_no_two_nodes_share()
    {
        var net = new ModelBuilder();
        var ones = net.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(1f))], net.Ints(4));
        var first = net.Call("BatchNormalization", net.Input("x", N, 4), net.Weight(4), net.Weight(4), net.Call("Constant", [Attr.Of("value", net.Weight(4).Initializer!)]), ones);
        net.Output("y", net.Call("BatchNormalization", first, ones, net.Weight(4), net.Weight(4), ones));
        var before = OnnxFile.ToBytes(net.Model);
        Assert.IsTrue(new LiftParameters(OperatorRegistry.Default).Run(net.Model));
        new SeparateMergedConstants(OperatorRegistry.Default).Run(net.Model);
        Assert.AreEqual("BatchNormalization BatchNormalization", net.Model.Ops());
        Assert.HasCount(10, net.Graph.Nodes.SelectMany(n => n.Inputs.Skip(1).Select(v => v!.Initializer is null ? "" : v.Name).Append(n.Name)).Distinct().ToList());
        PassHarness.AssertSameAnswers(before, OnnxFile.ToBytes(net.Model));
    }

    [TestMethod]
    public void A_weight_of_a_hostile_shape_is_not_made()
    {
        var net = new ModelBuilder();
        var filled = net.Call("ConstantOfShape", net.Ints(1L << 40, 1L << 40));
        net.Output("y", net.Call("MatMul", net.Input("x", N, 4), filled));
        Assert.IsFalse(new LiftParameters(OperatorRegistry.Default).Run(net.Model));
    }

    [TestMethod]
    public void Weights_made_of_shapes_hold_no_more_than_a_small_file_may_ask_for()
    {
        // Each alone would do; together they are a gigabyte.
        var net = new ModelBuilder();
        var y = net.Input("x", N, 4096);
        for (var i = 0; i < 16; i++)
            y = net.Call("MatMul", y, net.Call("ConstantOfShape", net.Ints(4096, 4096)));
        y = net.Call("MatMul", y, net.Call("ConstantOfShape", net.Ints(4096, 1L << 29)));
        net.Output("y", y);
        var pass = new LiftParameters(OperatorRegistry.Default);
        Assert.AreEqual(1, pass.Apply(net.Model));
        var (made, left) = (pass.Findings[0], pass.Findings[1]);
        Assert.AreEqual(FindingKind.Changed, made.Kind);
        Assert.AreEqual(FindingKind.Refused, left.Kind);
        Assert.HasCount(16, left.Subjects);
    }

    [TestMethod]
    public void Statistics_and_initial_parameters_that_an_exporter_merged_are_parted_and_ties_stay()
    {
        var net = new ModelBuilder();
        var (ones, zeros, table) = (net.Filled(1, 4), net.Filled(0, 4), net.Weight(4, 4));
        var again = net.Call("Identity", table);
        var h = net.Call("BatchNormalization", net.Call("MatMul", net.Input("x", N, 4), table), ones, zeros, net.Call("Identity", zeros), net.Call("Identity", ones));
        var direct = net.Call("BatchNormalization", h, net.Weight(4), net.Weight(4), zeros, ones);
        net.Output("y", net.Call("LayerNormalization", net.Call("MatMul", direct, again), net.Call("Identity", ones), zeros));
        var pass = new SeparateMergedConstants(OperatorRegistry.Default);
        var before = OnnxFile.ToBytes(net.Model);
        Assert.AreEqual(5, pass.Apply(net.Model));
        PassHarness.AssertSameAnswers(before, OnnxFile.ToBytes(net.Model));
        CollectionAssert.AreEqual((int[])[4, 1, 1], pass.Findings.Select(f => f.Subjects.Count).ToArray());
        Assert.AreEqual(again.Name, pass.Findings[2].Subjects[0]);
        foreach (var node in net.Graph.Nodes.Where(n => n.OpType == "BatchNormalization"))
        {
            foreach (var statistic in node.Inputs.Skip(3))
                Assert.HasCount(1, statistic!.Uses, statistic.Name);
        }

        Assert.AreEqual(0, pass.Apply(net.Model), "The second run changes something.");
    }

    [TestMethod]
    public void Shared_and_equal_parameters_are_told()
    {
        var net = new ModelBuilder();
        var (w, copy) = (net.Weight(4, 4), net.Weight(4, 4));
        net.Graph.SetInitializer(copy, TensorData.FromBytes(ElementType.Float32, [4, 4], w.Initializer!.Bytes.ToArray()));
        var h = net.Call("MatMul", net.Call("MatMul", net.Input("x", N, 4), w), net.Call("Transpose", w));
        net.Output("y", net.Call("Add", net.Call("MatMul", h, copy), net.Call("Add", net.Filled(0, 4), net.Filled(0, 4))));
        var pass = new NoticeSharedParameters(OperatorRegistry.Default);
        Assert.IsFalse(pass.Run(net.Model));
        Assert.HasCount(2, pass.Findings);
        CollectionAssert.AreEqual((string[])[w.Name], pass.Findings[0].Subjects.ToArray());
        CollectionAssert.AreEqual((string[])[w.Name, copy.Name], pass.Findings[1].Subjects.ToArray());
    }

    [TestMethod]
    [DataRow("shufflenet_v2_x0_5-eval", 56)]
    [DataRow("mlp", 0)]
    [DataRow("mlp-eval", 0)]
    [DataRow("unet", 0)]
    [DataRow("unet-baked", 0)]
    [DataRow("squeezenet1_1", 0)]
    [DataRow("shufflenet_v2_x0_5", 0)]
    [DataRow("mobilenet_v3_small", 0)]
    [DataRow("encoder", 0)]
    [DataRow("recurrent", 0)]
    [DataRow("nb201", 0)]
    [DataRow("nested", 0)]
    public void Normalisation_folded_at_export_is_noticed_and_nothing_else_is_taken_for_it(string name, int nodes)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", name + ".onnx"));
        var pass = new NoticeFoldedNormalization();
        Assert.IsFalse(pass.Run(model));
        Assert.AreEqual(nodes, pass.Findings.Sum(f => f.Subjects.Count));
        Assert.IsTrue(pass.Findings.All(f => f.Message.Contains("most likely batch normalisation", StringComparison.Ordinal)));
    }

    [TestMethod]
    [DataRow("onnx::Conv_12", "onnx::Conv_13", "were computed at export")]
    [DataRow("12", "13", "may have been folded")]
    [DataRow("conv.weight", "conv.weight_bias", "may have been folded")]
    [DataRow("net/conv/Conv2D_weights_fused_bn", "net/conv/Conv2D_bias_fused_bn", "has been folded")]
    [DataRow("ConvBnFusion_W_conv.weight", "ConvBnFusion_BN_B_bn.bias", "has been folded")]
    [DataRow("conv.weight", "conv.bias", null)]
    [DataRow("conv1_w_0", "conv1_b_0", null)]
    public void The_names_of_weight_and_bias_tell(string weight, string bias, string? expected)
    {
        var net = new ModelBuilder();
        var (w, b) = (net.Weight(3, 2, 1, 1), net.Weight(3));
        net.Graph.Rename(w, weight);
        net.Graph.Rename(b, bias);
        net.Output("y", net.Call("Conv", net.Input("x", N, 2, 4, 4), w, b));
        var pass = new NoticeFoldedNormalization();
        pass.Run(net.Model);
        Assert.AreEqual(expected is null ? 0 : 1, pass.Findings.Count);
        if (expected is not null)
            Assert.Contains(expected, pass.Findings[0].Message);
    }

    [TestMethod]
    public void Training_forms_are_told()
    {
        var net = new ModelBuilder();
        var x = net.Input("x", N, 4);
        Value?[] Inputs(Value y) => [y, net.Weight(4), net.Weight(4), net.Weight(4), net.Filled(1, 4)];
        var (h, mean) = (net.Graph.AddValue("h"), net.Graph.AddValue("mean"));
        net.Graph.AddNode("BatchNormalization", Inputs(x), [h, mean, net.Graph.AddValue("var")], attributes: [Attr.Of("training_mode", 1L)], name: "training");
        var k = net.Graph.AddValue("k");
        net.Graph.AddNode("BatchNormalization", Inputs(h), [k], name: "inference");
        var d = net.Graph.AddValue("d");
        net.Graph.AddNode("Dropout", [k, net.Graph.AddConstant("ratio", TensorData.Scalar(0.5f)), net.Graph.AddConstant("mode", TensorData.Scalar(false))], [d], name: "idle");
        net.Output("y", net.Call("Add", d, mean));
        var pass = new NoticeTrainingForm();
        Assert.IsFalse(pass.Run(net.Model));
        CollectionAssert.AreEqual((string[])["training", "inference", "idle", "training"], pass.Findings.Select(f => f.Subjects.Single()).ToArray());
        CollectionAssert.AreEqual((FindingKind[])[FindingKind.Noticed, FindingKind.Noticed, FindingKind.Noticed, FindingKind.Refused], pass.Findings.Select(f => f.Kind).ToArray());
    }
}
