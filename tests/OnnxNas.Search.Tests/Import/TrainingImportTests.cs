using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Data;
using OnnxNas.Search.Import;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Import;

[TestClass]
public sealed class TrainingImportTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    [DataRow(8)]
    public void The_baked_unet_trains_with_any_batch_size_and_is_exported_dynamic(int batchSize)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", "unet-baked.onnx"));
        var findings = TrainingImport.Run(model);
        Assert.IsNull(TrainingImport.WhyFixedBatch(findings));
        Assert.Contains(f => f is { Pass: nameof(MakeBatchDynamic), Kind: FindingKind.Changed }, findings);
        var ear = Train(model, batchSize, 24, 0.01);
        Assert.HasCount(24 / batchSize * 2, ear.Losses);
        Assert.IsTrue(ear.Losses.All(double.IsFinite));
        Assert.IsLessThan(ear.Epochs[0].TrainLoss, ear.Epochs[1].TrainLoss);
        RunsAnywhere(model);
    }

    [TestMethod]
    public void Every_weight_of_the_shared_models_trains()
    {
        foreach (var (name, integersBelow) in new[] { ("unet-baked", 0), ("mlp", 0), ("mlp-eval", 0), ("encoder", 50), ("recurrent", 0) })
        {
            var model = OnnxFile.Read(RepositoryFiles.Shared("models", name + ".onnx"));
            var filed = model.Graph.Initializers.Where(i => i.Initializer!.Type == ElementType.Float32 && !i.Name.Contains("running_", StringComparison.Ordinal)).Select(i => i.Name).ToList();
            TrainingImport.Run(model);
            using var module = new GraphModule(model) { Training = true };
            CollectionAssert.IsSubsetOf(filed, module.Parameters.Keys.ToList(), name);
            using var scope = NewDisposeScope();
            var feeds = RandomInputs.For(model, 3, 4, integersBelow: Math.Max(1, integersBelow)).ToDictionary(f => f.Key, f => f.Value.ToTorch());
            module.Forward(feeds)[0].pow(Scalars.Of(2)).sum().backward();
            foreach (var (parameter, tensor) in module.Parameters)
                Assert.IsNotNull(tensor.grad, $"{name}: {parameter}");
        }
    }

    [TestMethod]
    public void Statistics_that_an_exporter_merged_with_weights_are_moved_by_training()
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", "mlp-eval.onnx"));
        TrainingImport.Run(model);
        using (var module = new GraphModule(model))
        {
            CollectionAssert.AreEquivalent((string[])["f.1.running_mean", "f.1.running_var"], module.Buffers.Keys.ToArray());
            CollectionAssert.IsSubsetOf((string[])["f.1.weight", "f.1.bias", "f.5.weight", "f.5.bias"], module.Parameters.Keys.ToArray());
        }

        Train(model, 8, 24, 0.01);
        var values = new[] { "f.1.weight", "f.1.running_var", "f.5.weight" }.Select(n => string.Join(' ', model.Graph.Find(n)!.Initializer!.ToDoubles())).ToList();
        Assert.HasCount(3, values.Distinct().ToList());
        RunsAnywhere(model);
    }

    [TestMethod]
    [DataRow(7, 5, null)]
    [DataRow(9, 5, null)]
    [DataRow(13, 5, null)]
    [DataRow(14, 3, 1L)]
    [DataRow(15, 3, 1L)]
    [DataRow(17, 3, 1L)]
    [DataRow(15, 1, 0L)]
    [DataRow(9, 1, null)]
    public void Batch_normalisation_of_every_form_trains_and_is_exported_for_inference(int opset, int outputs, long? mode)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 3, 4, 4);
        var y = net.Graph.AddValue("normal");
        net.Graph.AddNode("BatchNormalization", [x, net.Constant("scale", [3], _ => 1), net.Constant("bias", [3], _ => 0), net.Constant("mean", [3], _ => 0), net.Constant("var", [3], _ => 1)],
            [y, .. Enumerable.Range(1, outputs - 1).Select(i => net.Graph.AddValue($"statistic{i}"))], attributes: mode is { } m ? [Attr.Of("training_mode", m)] : [], name: "bn");
        var model = net.Build((net.Op("GlobalAveragePool", net.Op("Relu", y)), [N, 3, 1, 1]));
        model.OpsetImports[""] = opset;
        Assert.Contains(f => f.Pass == nameof(NoticeTrainingForm) && f.Subjects.Contains("bn") && f.Message.Contains(outputs > 1 || mode == 1 ? "training form" : "inference form", StringComparison.Ordinal), TrainingImport.Run(model));
        Train(model, 8, 24, 0.05);
        foreach (var (name, start) in new[] { ("scale", 1.0), ("bias", 0), ("mean", 0), ("var", 1) })
            Assert.IsTrue(model.Graph.Find(name)!.Initializer!.ToDoubles().All(v => v != start), name);
        var plain = RunsAnywhere(model);
        var node = plain.Graph.Nodes.Single(n => n.OpType == "BatchNormalization");
        Assert.HasCount(1, node.Outputs);
        Assert.IsNull(node.Attribute("training_mode"));
    }

    [TestMethod]
    [DataRow("attribute", 7, 0.25)]
    [DataRow("attribute", 10, 0.25)]
    [DataRow("initializer", 12, 0.25)]
    [DataRow("constant", 13, 0.25)]
    [DataRow("computed", 13, 0.25)]
    [DataRow("default", 13, 0.5)]
    [DataRow("no mode", 13, 0.25)]
    [DataRow("mode false", 13, 0)]
    public void Dropout_drops_what_its_ratio_says_however_it_is_given(string form, int opset, double expected)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 1000);
        var mode = net.Graph.AddInitializer("mode", TensorData.Scalar(form != "mode false"));
        var ratio = form switch
        {
            "attribute" or "default" => null,
            "constant" => net.Op("Constant", [], Attr.Of("value", TensorData.Scalar(0.25f))),
            "computed" => net.Op("Div", net.Constant("half", [], _ => 0.5), net.Constant("two", [], _ => 2)),
            _ => net.Constant("ratio", [], _ => 0.25),
        };
        Value?[] inputs = form == "attribute" ? [x] : form == "no mode" ? [x, ratio] : [x, ratio, mode];
        var model = net.Build((net.Op("Dropout", inputs, form == "attribute" ? [Attr.Of("ratio", 0.25f)] : []), [N, 1000]));
        model.OpsetImports[""] = opset;
        var idle = TrainingImport.Run(model).Any(f => f.Pass == nameof(NoticeTrainingForm));
        Assert.AreEqual(expected == 0, idle);
        using var module = new GraphModule(model) { Training = true };
        Assert.IsEmpty(module.Parameters);
        random.manual_seed(3);
        using var scope = NewDisposeScope();
        var kept = module.Forward(ones(4, 1000));
        Assert.AreEqual(expected, kept.eq(Scalars.Zero).to(ScalarType.Float64).mean().item<double>(), 0.03);
        Pruner.Finish(model);
        Assert.AreEqual("Identity", string.Join(' ', model.Graph.Nodes.Select(n => n.OpType)));
    }

    [TestMethod]
    public void A_model_of_the_oldest_file_format_trains_its_weights_and_asks_for_its_data_only()
    {
        var net = new NetBuilder();
        var y = net.Linear("a", net.Input("x", N, 4), 4, 2);
        net.Graph.AddInput("a.weight");
        net.Graph.AddInput("a.bias");
        var model = net.Build((y, [N, 2]));
        (model.IrVersion, model.OpsetImports[""]) = (3, 8);
        TrainingImport.Run(model);
        var before = model.Graph.Find("a.weight")!.Initializer!.ToDoubles();
        Train(model, 8, 24, 0.05);
        CollectionAssert.AreNotEqual(before, model.Graph.Find("a.weight")!.Initializer!.ToDoubles());
        var plain = RunsAnywhere(model);
        Assert.AreEqual("x", string.Join(' ', plain.Graph.Inputs.Select(i => i.Name)));
    }

    [TestMethod]
    public void A_tied_table_stays_one_tensor_through_training_and_export()
    {
        var net = new NetBuilder();
        var table = net.Weight("table", 9, 4);
        var tokens = net.Graph.AddInput("tokens", new TensorType(ElementType.Int64, new Shape(N, 3)));
        var logits = net.Op("MatMul", net.Op("Gather", table, tokens), net.Op("Transpose", net.Op("Identity", table)));
        var model = net.Build((logits, [N, 3, 9]));
        var findings = TrainingImport.Run(model);
        Assert.Contains(f => f.Pass == nameof(NoticeSharedParameters) && f.Subjects.Contains("table"), findings);
        using (var module = new GraphModule(model))
            Assert.AreEqual("table", string.Join(' ', module.Parameters.Keys));
        var (before, ear) = (table.Initializer!.ToDoubles(), new SmallTask());
        new WinnerTrainer(new() { BatchSize = 4, Lr = 0.05 }, Loss.Named("mse"), () => MetricSet.Default("mse"), ear, CPU, default).Fit(model, Dataset.FromTensors(
            new Dictionary<string, TensorData> { ["tokens"] = TestTensors.Int64s(1, 0, 9, 16, 3) }, TestTensors.Normal(2, 16, 3, 9)), 1);
        CollectionAssert.AreNotEqual(before, model.Graph.Find("table")!.Initializer!.ToDoubles());
        using var trained = new GraphModule(model);
        var feeds = new Dictionary<string, TensorData> { ["tokens"] = TestTensors.Int64s(3, 0, 9, 2, 3) };
        var expected = trained.Evaluate(feeds)[0];
        Pruner.Finish(model);
        using var session = new OnnxSession(OnnxFile.ToBytes(model));
        var result = Parity.Compare(session.Run(feeds)[0], expected, 1e-5, 1e-5);
        Assert.IsTrue(result.Passed, result.Message);
    }

    [TestMethod]
    public void Masks_pixel_constants_and_factors_do_not_train_and_offsets_by_channel_do()
    {
        var net = new NetBuilder();
        var x = net.Op("Cast", [net.Input("x", N, 3, 4)], Attr.Of("to", 1L));
        var pixels = net.Op("Div", net.Op("Sub", x, net.Constant("mean", [3, 1], i => 0.4 + i)), net.Constant("deviation", [3, 1], i => 0.2 + i));
        var h = net.Op("MatMul", pixels, net.Weight("w", 4, 4));
        var logits = net.Op("Add", net.Op("Add", net.Op("Mul", h, net.Constant("factor", [], _ => 0.5)), net.Weight("offset", 3, 1)), net.Constant("hidden", [4], i => i % 2 == 0 ? 0 : -10000));
        var kept = net.Op("Mul", net.Op("Softmax", logits), net.Constant("kept", [4], i => i % 2));
        var model = net.Build((net.Op("Mul", kept, net.Weight("scale", 3, 1)), [N, 3, 4]));
        TrainingImport.Run(model);
        using var module = new GraphModule(model, SupernetOperators.Registry);
        Assert.AreEqual("w offset scale", string.Join(' ', module.Parameters.Keys));
    }

    [TestMethod]
    public void A_weight_that_is_rounded_on_its_way_trains()
    {
        var net = new NetBuilder();
        Value?[] scale = [net.Constant("scale", [], _ => 0.01), net.Graph.AddInitializer("zero", TensorData.Scalar((sbyte)0))];
        var rounded = net.Op("DequantizeLinear", [net.Op("QuantizeLinear", [net.Weight("w", 4, 2), .. scale]), .. scale]);
        var model = net.Build((net.Op("MatMul", net.Input("x", N, 4), rounded), [N, 2]));
        TrainingImport.Run(model);
        var before = model.Graph.Find("w")!.Initializer!.ToDoubles();
        Train(model, 8, 24, 0.05);
        CollectionAssert.AreNotEqual(before, model.Graph.Find("w")!.Initializer!.ToDoubles());
    }

    private static SmallTask Train(Model model, int batchSize, int samples, double lr)
    {
        var ear = new SmallTask();
        new WinnerTrainer(new() { BatchSize = batchSize, Lr = lr, WeightDecay = 0 }, Loss.Named("mse"), () => MetricSet.Default("mse"), ear, CPU, default)
            .Fit(model, SmallTask.Data(model, samples, 1), 2);
        return ear;
    }

    // The exported file takes any batch and gives what the trained module gives.
    private static Model RunsAnywhere(Model model)
    {
        var plain = model.Clone();
        Pruner.Finish(plain);
        using var module = new GraphModule(model);
        using var session = new OnnxSession(OnnxFile.ToBytes(plain));
        foreach (var count in new[] { 1, 3, 8 })
        {
            var feeds = RandomInputs.For(session, 11, count);
            var result = Parity.Compare(session.Run(feeds)[0], module.Evaluate(feeds)[0], 1e-4, 1e-4);
            Assert.IsTrue(result.Passed, result.Message);
        }

        return plain;
    }
}
