using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using static OnnxNas.Testing.TestTensors;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Tests.Nn;

/// <summary>What differs between a training run and any other.</summary>
[TestClass]
public sealed class TrainingTests
{
    [TestMethod]
    public void A_training_run_moves_the_statistics_of_a_node_with_one_output_by_the_population_variance()
    {
        var x = Uniform(1, -1, 3, 5, 2, 3);
        using var module = Normalization(x, momentum: 0.7f);
        module.Training = true;
        using var y = module.Forward(x.ToTorch());

        var values = x.AsSpan<float>().ToArray();
        for (var channel = 0; channel < 2; channel++)
        {
            var own = values.Where((_, i) => i / 3 % 2 == channel).ToArray();
            var mean = own.Average();
            var variance = own.Average(v => (v - mean) * (v - mean));
            Assert.AreEqual(0.7 * 0.5 + 0.3 * mean, module.Buffers["mean"][channel].item<float>(), 1e-5);
            Assert.AreEqual(0.7 * 2 + 0.3 * variance, module.Buffers["var"][channel].item<float>(), 1e-5);
        }
    }

    [TestMethod]
    public void A_run_that_is_no_training_uses_running_statistics_whatever_training_mode_says()
    {
        var x = Uniform(1, -1, 3, 5, 2, 3);
        using var module = Normalization(x, momentum: 0.7f);
        using var y = module.Forward(x.ToTorch());

        var expected = x.AsSpan<float>().ToArray().Select(v => (v - 0.5) / Math.Sqrt(2 + 1e-5)).ToArray();
        var actual = y.ToTensorData().ToDoubles();
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-5);
    }

    [TestMethod]
    [DataRow(7)]
    [DataRow(13)]
    public void A_training_run_drops_elements_at_the_ratio_and_scales_the_others(int opset)
    {
        manual_seed(1);
        using var module = Dropout(opset, ratio: 0.25f);
        module.Training = true;
        using var x = ones(40, 500);
        var outputs = module.Forward(new Dictionary<string, Tensor> { ["x"] = x });

        var y = outputs[0].ToTensorData().ToDoubles();
        var mask = outputs[1].ToTensorData().ToDoubles();
        Assert.AreEqual(0.75, mask.Average(), 0.02);
        for (var i = 0; i < y.Length; i++)
            Assert.AreEqual(mask[i] / 0.75, y[i], 1e-6);
    }

    [TestMethod]
    public void Without_a_mask_dropout_drops_as_much()
    {
        manual_seed(1);
        using var module = Dropout(7, ratio: 0.25f, outputs: 1);
        module.Training = true;
        using var y = module.Forward(ones(40, 500));
        Assert.AreEqual(0.75, y.ToTensorData().ToDoubles().Average(v => v == 0 ? 0 : 1), 0.02);
    }

    private static GraphModule Normalization(TensorData x, float momentum)
    {
        var graph = new Graph("g");
        var inputs = new[]
        {
            graph.AddInput("x", new TensorType(x.Type, Shape.Of(x.Dims))),
            graph.AddInitializer("scale", TensorData.Vector(1f, 1f)),
            graph.AddInitializer("bias", TensorData.Vector(0f, 0f)),
            graph.AddInitializer("mean", TensorData.Vector(0.5f, 0.5f)),
            graph.AddInitializer("var", TensorData.Vector(2f, 2f)),
        };
        graph.AddOutput(graph.Call("BatchNormalization", inputs, attributes: [Attr.Of("momentum", momentum), Attr.Of("training_mode", 1)]));
        return Module(graph, 15);
    }

    private static GraphModule Dropout(int opset, float ratio, int outputs = 2)
    {
        var graph = new Graph("g");
        var inputs = new List<Value?> { graph.AddInput("x", new TensorType(ElementType.Float32)) };
        if (opset >= 12)
            inputs.Add(graph.AddInitializer("ratio", TensorData.Scalar(ratio)));
        var results = Enumerable.Range(0, outputs).Select(i => graph.AddValue($"y{i}")).ToList();
        graph.AddNode("Dropout", inputs, results, attributes: opset >= 12 ? [] : [Attr.Of("ratio", ratio)]);
        results.ForEach(graph.AddOutput);
        return Module(graph, opset);
    }

    private static GraphModule Module(Graph graph, int opset)
    {
        var model = new Model(graph);
        model.OpsetImports[""] = opset;
        return new GraphModule(model);
    }
}
