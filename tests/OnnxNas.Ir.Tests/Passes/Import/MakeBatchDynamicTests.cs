namespace OnnxNas.Ir.Tests.Passes.Import;

[TestClass]
public sealed class MakeBatchDynamicTests
{
    public static IEnumerable<object[]> Batches => [[8L], [2L], [1L]];

    [TestMethod]
    [DynamicData(nameof(Batches))]
    public void View_to_one_row_a_sample_follows_the_batch(long samples)
    {
        var net = new ModelBuilder();
        var h = net.Call("Conv", [Attr.Of("pads", [1L, 1, 1, 1])], net.Input("x", samples, 3, 4, 4), net.Weight(5, 3, 3, 3));
        var flat = net.Call("Reshape", h, net.Ints(samples, -1));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Gemm", flat, net.Weight(80, 6), net.Weight(6))).Model);
        Assert.AreEqual("[N,6]", net.Model.Graph.Outputs[0].Shape!.ToString());
    }

    [TestMethod]
    public void An_extent_that_only_equals_the_batch_is_no_batch()
    {
        // Two extents of the result could be 8 samples by number; the order of elements says the first.
        var net = new ModelBuilder();
        var first = net.Call("Reshape", net.Input("x", 8, 64), net.Ints(8, 8, 8));
        var product = net.Call("MatMul", first, net.Weight(8, 8));
        var findings = BakedBatch.BecomesDynamic(net.Output("y", net.Call("Reshape", product, net.Ints(8, 64))).Model);
        Assert.AreEqual("its shape [8,8,8] becomes [-1,8,8].", findings[1].Message);
    }

    [TestMethod]
    public void The_batch_is_followed_through_transposition_and_not_taken_for_the_first_extent()
    {
        // After the transposition the batch is the second 8; merged into [8,64] it is the slower part of 64.
        var net = new ModelBuilder();
        var turned = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Input("x", 8, 8, 8));
        var merged = net.Call("Tanh", net.Call("Reshape", turned, net.Ints(8, 64)));
        var back = net.Call("Reshape", merged, net.Ints(8, 8, 8));
        var findings = BakedBatch.BecomesDynamic(net.Output("y", net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], back)).Model);
        Assert.Contains("its shape [8,64] becomes [8,-1].", findings.Select(f => f.Message));
        Assert.Contains("its shape [8,8,8] becomes [8,-1,8].", findings.Select(f => f.Message));
    }

    [TestMethod]
    public void A_product_over_an_axis_that_the_batch_is_merged_into_is_refused()
    {
        var net = new ModelBuilder();
        var turned = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Input("x", 8, 8, 8));
        var product = net.Call("MatMul", net.Call("Reshape", turned, net.Ints(8, 64)), net.Weight(64, 3));
        var name = product.Producer!.Name;
        BakedBatch.IsRefused(net.Output("y", product).Model, name, "mixes the samples");
    }

    [TestMethod]
    public void Normalisation_over_the_batch_by_default_is_refused()
    {
        // Without axes it takes the mean over 0, 2 and 3.
        var net = new ModelBuilder();
        var y = net.Call("MeanVarianceNormalization", net.Input("x", 8, 3, 4, 4));
        var name = y.Producer!.Name;
        BakedBatch.IsRefused(net.Output("y", y).Model, name, "mixes the samples");
    }

    [TestMethod]
    public void A_node_that_its_own_rule_refuses_is_not_asked_how_it_treats_a_batch()
    {
        var net = new ModelBuilder();
        var y = net.Call("Unsqueeze", net.Input("x", 8, 3), net.Ints(1, 1));
        var name = y.Producer!.Name;
        BakedBatch.IsRefused(net.Output("y", y).Model, name, "twice");
    }

    [TestMethod]
    [DynamicData(nameof(Batches))]
    public void Attention_with_heads_follows_the_batch(long samples)
    {
        var net = new ModelBuilder();
        var x = net.Input("x", samples, 6, 8);
        var keys = Heads(net.Weight(8, 8), [0, 2, 3, 1]);
        var scores = net.Call("Softmax", net.Call("MatMul", Heads(net.Weight(8, 8), [0, 2, 1, 3]), keys));
        var joined = net.Call("Transpose", [Attr.Of("perm", [0L, 2, 1, 3])], net.Call("MatMul", scores, Heads(net.Weight(8, 8), [0, 2, 1, 3])));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("MatMul", net.Call("Reshape", joined, net.Ints(samples, 6, 8)), net.Weight(8, 3))).Model);

        Value Heads(Value weight, long[] order) =>
            net.Call("Transpose", [Attr.Of("perm", order)], net.Call("Reshape", net.Call("MatMul", x, weight), net.Ints(samples, 6, 2, 4)));
    }

    [TestMethod]
    [DynamicData(nameof(Batches))]
    public void Attention_with_the_batch_merged_into_heads_and_rows_follows_the_batch(long samples)
    {
        // As torch.nn.MultiheadAttention is exported: time first, heads beside the batch, rows of all samples in one Gemm.
        var net = new ModelBuilder();
        var x = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Input("x", samples, 6, 8));
        var query = Heads(net.Weight(8, 8), [1, 0, 2]);
        var scores = net.Call("Softmax", net.Call("MatMul", query, Heads(net.Weight(8, 8), [1, 2, 0])));
        var joined = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Call("MatMul", scores, Heads(net.Weight(8, 8), [1, 0, 2])));
        var rows = net.Call("Gemm", net.Call("Reshape", joined, net.Ints(6 * samples, 8)), net.Weight(8, 8), net.Weight(8));
        var y = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Call("Reshape", rows, net.Ints(6, samples, 8)));
        BakedBatch.BecomesDynamic(net.Output("y", y).Model);

        Value Heads(Value weight, long[] order) =>
            net.Call("Transpose", [Attr.Of("perm", order)], net.Call("Reshape", net.Call("MatMul", x, weight), net.Ints(6, 2 * samples, 4)));
    }

    [TestMethod]
    [DynamicData(nameof(Batches))]
    public void A_class_token_expanded_to_the_batch_follows_it(long samples)
    {
        var net = new ModelBuilder();
        var token = net.Call("Expand", net.Weight(1, 1, 8), net.Ints(samples, 1, 8));
        var joined = net.Call("Concat", [Attr.Of("axis", 1L)], token, net.Input("x", samples, 5, 8));
        var positions = net.Call("Add", joined, net.Weight(1, 6, 8));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Gather", [Attr.Of("axis", 1L)], positions, net.Ints(0))).Model);
    }

    [TestMethod]
    public void Tiled_and_filled_constants_follow_the_batch()
    {
        var net = new ModelBuilder();
        var tiled = net.Call("Tile", net.Weight(1, 2, 8), net.Ints(4, 1, 1));
        var filled = net.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(0.5f))], net.Ints(4, 3, 8));
        var typed = net.Call("Cast", [Attr.Of("to", 1L)], net.Call("Expand", net.Weight(2, 8), net.Ints(4, 2, 8)));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Concat", [Attr.Of("axis", 1L)], tiled, net.Input("x", 4, 5, 8), filled, typed)).Model);
    }

    [TestMethod]
    [DataRow("LSTM", 4, 8L)]
    [DataRow("LSTM", 4, 1L)]
    [DataRow("GRU", 3, 8L)]
    [DataRow("RNN", 1, 2L)]
    public void Initial_states_of_recurrent_layers_follow_the_batch(string op, int gates, long samples)
    {
        var net = new ModelBuilder();
        var x = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Input("x", samples, 7, 5));
        Value?[] inputs = [x, net.Weight(1, gates * 6, 5), net.Weight(1, gates * 6, 6), net.Weight(1, gates * 12), null, net.Filled(0.25f, 1, samples, 6)];
        if (op == "LSTM")
            inputs = [.. inputs, net.Call("Expand", net.Weight(1, 1, 6), net.Ints(1, samples, 6))];
        var states = net.Graph.AddValue("states");
        var last = net.Graph.AddValue("last");
        net.Graph.AddNode(op, inputs, [states, last], attributes: [Attr.Of("hidden_size", 6L)], name: "layer");
        var steps = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Call("Squeeze", states, net.Ints(1)));
        var head = net.Call("Gemm", net.Call("Reshape", last, net.Ints(samples, 6)), net.Weight(6, 3));
        BakedBatch.BecomesDynamic(net.Output("y", head).Output("all", steps).Model);
    }

    [TestMethod]
    public void An_initial_state_that_differs_from_sample_to_sample_is_refused()
    {
        var net = new ModelBuilder();
        var x = net.Call("Transpose", [Attr.Of("perm", [1L, 0, 2])], net.Input("x", 3, 7, 5));
        var states = net.Graph.AddValue("states");
        var start = net.Weight(1, 3, 6);
        net.Graph.AddNode("GRU", [x, net.Weight(1, 18, 5), net.Weight(1, 18, 6), null, null, start], [states], attributes: [Attr.Of("hidden_size", 6L)], name: "layer");
        BakedBatch.IsRefused(net.Output("y", states).Model, "layer", $"'{start.Name}' Float32[1,3,6] holds something else for each sample");
    }

    [TestMethod]
    public void Slices_squeezes_sizes_and_rows_made_for_the_batch_follow_it()
    {
        var net = new ModelBuilder();
        var x = net.Input("x", 4, 2, 6, 1);
        var all = net.Call("Slice", x, net.Ints(0, 1), net.Ints(4, 6), net.Ints(0, 2));
        var larger = net.Call("Resize", [Attr.Of("mode", "nearest")], all, null, null, net.Ints(4, 2, 10, 1));
        var rows = net.Call("Squeeze", net.Call("Mul", larger, net.Filled(0.5f, 4, 1, 10, 1)));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Where", net.Call("Greater", rows, net.Filled(0, 4, 2, 10)), rows, net.Filled(-1, 1, 2, 10))).Model);
    }

    [TestMethod]
    public void Shape_computations_that_an_exporter_left_dynamic_are_followed()
    {
        var net = new ModelBuilder();
        var x = net.Input("x", 4, 3, 8);
        var count = net.Call("Gather", net.Call("Shape", x), net.Ints(0));
        var flat = net.Call("Reshape", x, net.Call("Concat", [Attr.Of("axis", 0L)], count, net.Ints(-1)));
        var zeros = net.Call("ConstantOfShape", net.Call("Concat", [Attr.Of("axis", 0L)], count, net.Ints(2)));
        var joined = net.Call("Concat", [Attr.Of("axis", 1L)], flat, zeros, net.Call("Expand", net.Filled(2, 1, 2), net.Call("Concat", [Attr.Of("axis", 0L)], count, net.Ints(2))));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Gemm", joined, net.Weight(28, 3))).Model);
    }

    [TestMethod]
    public void Embeddings_masks_and_several_inputs_share_the_batch()
    {
        var net = new ModelBuilder();
        var tokens = net.Graph.AddInput("tokens", new TensorType(ElementType.Int64, new Shape(2, 5)));
        var mask = net.Graph.AddInput("mask", new TensorType(ElementType.Int64, new Shape(2, 5)));
        var embedded = net.Call("Gather", net.Weight(9, 4), tokens);
        var kept = net.Call("Mul", embedded, net.Call("Unsqueeze", net.Call("Cast", [Attr.Of("to", 1L)], mask), net.Ints(2)));
        var mean = net.Call("ReduceMean", [Attr.Of("axes", [1L]), Attr.Of("keepdims", 0L)], net.Call("LayerNormalization", kept, net.Weight(4), net.Weight(4)));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Gemm", mean, net.Weight(4, 3))).Model, integersBelow: 9);
    }

    [TestMethod]
    public void A_constant_cast_like_the_samples_is_the_same_for_all()
    {
        var net = new ModelBuilder();
        var x = net.Input("x", 4, 3);
        var half = net.Call("CastLike", net.Graph.AddConstant("half", TensorData.Scalar(0.5)), x);
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Mul", x, half)).Model);
    }

    [TestMethod]
    public void An_output_that_counts_the_samples_is_refused()
    {
        var net = new ModelBuilder();
        var count = net.Graph.Call("Size", [net.Input("x", 4, 3)]);
        count.Type = new TensorType(ElementType.Int64, Shape.Scalar);
        BakedBatch.IsRefused(net.Output("count", count).Model, "Size", "it hands on the number of samples as output 'count'");
    }

    [TestMethod]
    public void Inputs_of_other_first_extents_are_refused()
    {
        var net = new ModelBuilder();
        BakedBatch.IsRefused(net.Output("y", net.Call("Add", net.Input("x", 4, 3), net.Input("z", 1, 3))).Model, "z", "differ in their first extent");
    }

    public static IEnumerable<object[]> Mixing =>
    [
        ["ReduceMean", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("ReduceMean", [Attr.Of("axes", [0L])], x)), "mixes the samples"],
        ["Softmax", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Softmax", [Attr.Of("axis", 0L)], x)), "mixes the samples"],
        ["MatMul", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("MatMul", x, net.Call("Transpose", x))), "mixes the samples"],
        ["Reshape", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Reshape", x, net.Ints(2, 2, 3))), "no one extent of [2,2,3] holds the 4 samples"],
        ["Reshape", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Reshape", net.Call("Transpose", x), net.Ints(2, 6))), "no one extent"],
        ["Concat", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Concat", [Attr.Of("axis", 0L)], x, x)), "joins values along the batch"],
        ["Gather", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Gather", x, net.Ints(0))), "picks samples"],
        ["Slice", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Slice", x, net.Ints(0), net.Ints(2))), "some of the samples"],
        ["Add", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Add", x, net.Weight(4, 3))), "something else for each sample"],
        ["Add", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Add", net.Call("Unsqueeze", x, net.Ints(0)), net.Call("Unsqueeze", x, net.Ints(1)))), "different axes"],
        ["Mul", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("Mul", x, net.Call("Cast", [Attr.Of("to", 1L)], net.Call("Size", x)))), "number of samples"],
        ["NonZero", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("NonZero", x)), "nothing is known"],
        ["CumSum", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("CumSum", x, net.Graph.AddConstant("axis", TensorData.Scalar(0L)))), "mixes the samples"],
        ["LayerNormalization", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("LayerNormalization", [Attr.Of("axis", 0L)], x, net.Weight(4, 3), net.Weight(4, 3))), "mixes the samples"],
        ["If", new Func<ModelBuilder, Value, Value>((net, x) => net.If(x, x, "Tanh")), "reads samples"],
        ["DynamicQuantizeLinear", new Func<ModelBuilder, Value, Value>((net, x) => net.Call("DynamicQuantizeLinear", x)), "nothing is known"],
    ];

    [TestMethod]
    [DynamicData(nameof(Mixing))]
    public void A_node_that_does_not_keep_samples_apart_is_named(string op, object build, string reason)
    {
        var net = new ModelBuilder();
        var y = ((Func<ModelBuilder, Value, Value>)build)(net, net.Call("Relu", net.Input("x", 4, 3)));
        // Casts of counts are refused where the count becomes a number.
        var at = reason == "number of samples" ? net.Graph.Nodes.Single(n => n.OpType is "Cast" or "Mul" && n.Input(0)!.Producer?.OpType is "Size").Name : y.Producer!.Name;
        Assert.IsTrue(reason == "number of samples" || y.Producer!.OpType == op);
        BakedBatch.IsRefused(net.Output("y", y).Model, at, reason);
    }

    [TestMethod]
    public void A_dynamic_model_is_left_alone()
    {
        var net = new ModelBuilder();
        var pass = BakedBatch.Pass;
        Assert.IsFalse(pass.Run(net.Output("y", net.Call("Relu", net.Input("x", Dim.Symbol("N"), 3))).Model));
        Assert.IsEmpty(pass.Findings);
    }

    [TestMethod]
    public void The_symbol_is_one_that_the_model_does_not_use()
    {
        var net = new ModelBuilder();
        BakedBatch.Pass.Run(net.Output("y", net.Call("Relu", net.Input("x", 4, Dim.Symbol("N")))).Model);
        Assert.AreEqual("[N_1,N]", net.Model.Graph.Outputs[0].Shape!.ToString());
    }

    [TestMethod]
    [DataRow(7)]
    [DataRow(9)]
    [DataRow(12)]
    public void Attributes_of_old_opsets_follow_the_batch(int opset)
    {
        var net = new ModelBuilder(opset);
        var x = net.Input("x", 4, 1, 6);
        var dropped = net.Call("Squeeze", [Attr.Of("axes", [1L])], x);
        var cut = opset < 10 ? net.Call("Slice", [Attr.Of("axes", [0L]), Attr.Of("starts", [0L]), Attr.Of("ends", [4L])], dropped) : net.Call("Slice", dropped, net.Ints(0), net.Ints(4));
        var wide = net.Call("Reshape", net.Call("Unsqueeze", [Attr.Of("axes", [0L, 3L])], cut), net.Ints(4, 6));
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Softmax", net.Call("Squeeze", wide))).Model);
    }

    [TestMethod]
    public void A_squeeze_that_drops_nothing_keeps_the_axis_of_a_single_sample()
    {
        var net = new ModelBuilder();
        BakedBatch.BecomesDynamic(net.Output("y", net.Call("Squeeze", net.Call("Relu", net.Input("x", 2, 4)))).Model);
    }

    [TestMethod]
    public void A_squeeze_that_drops_the_axis_of_a_single_sample_is_refused()
    {
        var net = new ModelBuilder();
        var y = net.Call("Squeeze", net.Input("x", 1, 4));
        BakedBatch.IsRefused(net.Output("y", y).Model, y.Producer!.Name, "drops the batch axis");
    }
}
