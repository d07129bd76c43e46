using OnnxNas.Evaluation;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Passes.Import;

/// <summary>The batch of real exports becomes dynamic.</summary>
[TestClass]
public sealed class BakedModelTests
{
    [TestMethod]
    public void The_baked_unet_becomes_the_dynamic_one()
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", "unet-baked.onnx"));
        BakedBatch.BecomesDynamic(model);
        // The same net was exported twice.
        using var dynamic = new OnnxSession(RepositoryFiles.Shared("models", "unet.onnx"));
        using var freed = new OnnxSession(OnnxFile.ToBytes(model));
        var feeds = RandomInputs.For(dynamic, 3, 3);
        var result = Parity.Compare(freed.Run(feeds)[0], dynamic.Run(feeds)[0], 1e-5, 1e-5);
        Assert.IsTrue(result.Passed, result.Message);
    }

    [TestMethod]
    [DataRow("encoder", 4)]
    [DataRow("encoder", 1)]
    [DataRow("recurrent", 4)]
    [DataRow("recurrent", 1)]
    [DataRow("unet", 3)]
    [DataRow("mlp", 8)]
    [DataRow("shufflenet_v2_x0_5", 2)]
    [DataRow("shufflenet_v2_x0_5", 1)]
    public void A_net_whose_shape_computations_an_exporter_folded_for_one_batch_becomes_dynamic_again(string name, int samples)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", name + ".onnx"));
        new ToInferenceForm().Run(model);
        foreach (var value in model.Graph.Inputs.Concat(model.Graph.Outputs))
            value.Type = new TensorType(value.Element, new Shape([samples, .. value.Shape!.Skip(1)]));
        new PassManager([new LiftConstants(), new FoldConstants(new RuntimeEvaluator(), PassHarness.Rules), new RemoveDeadNodes()]).RunToFixpoint(model);
        Assert.IsFalse(model.Graph.Nodes.Any(n => n.OpType == "Shape"), "Nothing is baked in.");
        var findings = BakedBatch.BecomesDynamic(model, 1e-4, name == "encoder" ? 50 : 2);
        if (name != "mlp" && name != "unet")
            Assert.IsGreaterThan(1, findings.Count);
    }

    // AlexNet, VGG and ZFNet have gigabytes of weights, and a batch of one sample as these do.
    [TestMethod]
    [DataRow("light_squeezenet.onnx")]
    [DataRow("light_shufflenet.onnx")]
    [DataRow("light_inception_v1.onnx")]
    [DataRow("light_resnet50.onnx")]
    public void Exports_of_one_sample_take_any_number(string name)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("onnx-model-tests", "light", name));
        Assert.IsGreaterThan(0, new DropDefaultInputs().Apply(model));
        new PassManager([new LiftParameters(OperatorRegistry.Default), new RemoveDeadNodes()]).Run(model);
        var input = model.Graph.Inputs.Single();
        Assert.AreEqual(1, input.Shape![0].Value);
        // Equal weights everywhere would hide a mistake.
        foreach (var value in model.Graph.Initializers.Where(i => i.Initializer is { Type: ElementType.Float32, ElementCount: > 1 } data && data.Dims.Count > 1).ToList())
            model.Graph.SetInitializer(value, RandomInputs.Draw(ElementType.Float32, value.Initializer!.Dims, new SeededRandom(value.Initializer.ElementCount)));
        BakedBatch.BecomesDynamic(model, tolerance: 1e-4);
    }
}
