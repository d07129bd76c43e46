using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Movement;

/// <summary>Shapes computed from shapes, in whole models exported with a symbolic batch.</summary>
[TestClass]
public sealed class ModelShapesTests
{
    [TestMethod]
    [DataRow("shufflenet_v2_x0_5.onnx")]
    [DataRow("shufflenet_v2_x0_5-eval.onnx")]
    [DataRow("unet.onnx")]
    [DataRow("unet-baked.onnx")]
    [DataRow("mobilenet_v3_small.onnx")]
    [DataRow("squeezenet1_1.onnx")]
    [DataRow("mlp.onnx")]
    public void Every_value_has_a_full_shape_which_onnx_runtime_confirms(string file)
    {
        var model = OnnxFile.Read(RepositoryFiles.Shared("models", file));
        foreach (var value in model.Graph.Outputs)
            value.Type = null;
        ShapeInference.Run(model, OperatorRegistry.Default, strict: true);
        var symbols = new Dictionary<string, long>();
        foreach (var symbol in model.Graph.Inputs.SelectMany(i => i.Shape!).SelectMany(d => d.Symbols()))
            symbols[symbol] = 2;
        var values = model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().ToList();
        foreach (var value in values)
        {
            Assert.IsTrue(value.Shape is { } shape && shape.All(d => d.Evaluate(symbols) is not null), $"{value.Producer}: {value.Type}");
            if (value is { IsOutput: false, Type: TensorType { Element: ElementType.Float32 or ElementType.Int64 } })
                model.Graph.AddOutput(value);
        }

        var feeds = model.Graph.Inputs.ToDictionary(
            i => i.Name,
            i => TestTensors.Normal(1, [.. i.Shape!.Select(d => d.Evaluate(symbols)!.Value)]));
        using var session = new OnnxSession(OnnxFile.ToBytes(model), new OnnxSessionOptions { GraphOptimization = false });
        foreach (var (value, actual) in model.Graph.Outputs.Zip(session.Run(feeds)))
            CollectionAssert.AreEqual(actual.Dims.ToList(), value.Shape!.Select(d => d.Evaluate(symbols)!.Value).ToList(), $"{value.Producer}: {value.Type}");
    }
}
