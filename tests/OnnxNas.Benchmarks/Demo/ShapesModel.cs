using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Benchmarks.Demo;

/// <summary>
/// The demo's marked model: images [N,1,16,16] of values 0 … 255 to logits [N,10]. Each of two stages has two layers to choose, and a
/// choice which two of its input and its layers' outputs go on. One candidate of a layer holds a choice itself, which both layers of a
/// stage decide together.
/// </summary>
internal sealed class ShapesModel
{
    private const int Seed = 2;
    private const int Side = 16;
    private const int Opset = 17;
    private readonly Graph graph = new("shapes");
    private int tensors;

    /// <summary>The model, stamped, its weights drawn.</summary>
    public static Model Build()
    {
        var builder = new ShapesModel();
        builder.AddNodes();
        var model = new Model(builder.graph)
        {
            ProducerName = "OnnxNas",
            DocString = "Which shape is in the picture? A small search space over convolutional networks.",
        };
        model.OpsetImports[""] = Opset;
        model.OpsetImports[Markers.Domain] = Markers.Version;
        ShapeInference.Run(model, SupernetOperators.Registry, strict: true);
        MarkerFunctions.Stamp(model);
        return model;
    }

    private void AddNodes()
    {
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), 1, Side, Side)));
        x = Call("Sub", "normalise/shift", [x, graph.AddInitializer("normalise/middle", TensorData.Scalar(128f))]);
        x = Call("Mul", "normalise/scale", [x, graph.AddInitializer("normalise/step", TensorData.Scalar(1 / 64f))]);
        x = ConvNormRelu("stem", x, 1, 8, kernel: 3);
        x = Halve("halve1", x, 8, 16);
        x = Stage("stage1", x, 16);
        x = Halve("halve2", x, 16, 24);
        x = Stage("stage2", x, 24);
        x = Call("GlobalAveragePool", "head/pool", [x]);
        x = Call("Flatten", "head/flatten", [x]);
        var classes = ShapeKind.All.Count;
        var logits = graph.AddValue("logits");
        graph.AddNode("Gemm", [x, Weight("head/weight", [classes, 24], 24), Filled("head/bias", classes, 0)], [logits], attributes: [Attr.Of("transB", 1L)], name: "head/logits");
        graph.AddOutput(logits);
    }

    // Half the height and width, and more channels.
    private Value Halve(string name, Value input, int from, int to)
    {
        var pooled = Call("MaxPool", $"{name}/pool", [input], Attr.Of("kernel_shape", [2L, 2L]), Attr.Of("strides", [2L, 2L]));
        return ConvNormRelu(name, pooled, from, to, kernel: 1);
    }

    private Value Stage(string name, Value input, int channels)
    {
        var first = Layer($"{name}.first", $"{name}.kernel", input, channels);
        var second = Layer($"{name}.second", $"{name}.kernel", first, channels);
        return Marker(Markers.InputChoice, $"{name}.join", $"{name}/join", [input, first, second], Attr.Of("n_chosen", 2L), Attr.Of("reduction", "sum"));
    }

    private Value Layer(string label, string kernelLabel, Value input, int channels)
    {
        var name = label.Replace('.', '/');
        return LayerChoice(label, name,
        [
            ("skip", input),
            ("maxpool3x3", Call("MaxPool", $"{name}/maxpool3x3", [input], Attr.Of("kernel_shape", [3L, 3L]), Attr.Of("pads", [1L, 1L, 1L, 1L]))),
            ("conv1x1", ConvNormRelu($"{name}/conv1x1", input, channels, channels, kernel: 1)),
            ("conv3x3", ConvNormRelu($"{name}/conv3x3", input, channels, channels, kernel: 3)),
            ("separable", Separable($"{name}/separable", kernelLabel, input, channels)),
        ]);
    }

    // A depthwise convolution, whose kernel is a choice, and a pointwise one.
    private Value Separable(string name, string kernelLabel, Value input, int channels)
    {
        var depthwise = LayerChoice(kernelLabel, $"{name}/depthwise",
        [
            ("3x3", Conv($"{name}/depthwise3x3", input, channels, channels, kernel: 3, groups: channels)),
            ("5x5", Conv($"{name}/depthwise5x5", input, channels, channels, kernel: 5, groups: channels)),
        ]);
        return ConvNormRelu($"{name}/pointwise", depthwise, channels, channels, kernel: 1);
    }

    private Value LayerChoice(string label, string name, (string Name, Value Value)[] candidates) =>
        Marker(Markers.LayerChoice, label, name, [.. candidates.Select(c => c.Value)], Attr.Of("candidates", candidates.Select(c => c.Name)));

    private Value Marker(string op, string label, string name, Value[] candidates, params Attr[] more)
    {
        var output = graph.AddValue(name);
        graph.AddNode(op, candidates, [output], Markers.Domain, [Attr.Of("label", label), .. more], name);
        return output;
    }

    private Value ConvNormRelu(string name, Value input, int from, int to, int kernel)
    {
        var normalised = graph.AddValue($"{name}/norm");
        graph.AddNode(
            "BatchNormalization",
            [Conv(name, input, from, to, kernel), Filled($"{name}/norm/scale", to, 1), Filled($"{name}/norm/bias", to, 0), Filled($"{name}/norm/mean", to, 0), Filled($"{name}/norm/var", to, 1)],
            [normalised, graph.AddValue($"{name}/norm/mean/next"), graph.AddValue($"{name}/norm/var/next")],
            attributes: [Attr.Of("training_mode", 1L), Attr.Of("momentum", 0.9f)],
            name: $"{name}/norm");
        return Call("Relu", $"{name}/relu", [normalised]);
    }

    private Value Conv(string name, Value input, int from, int to, int kernel, int groups = 1)
    {
        long pad = kernel / 2;
        var weight = Weight($"{name}/weight", [to, from / groups, kernel, kernel], from / groups * kernel * kernel);
        return Call("Conv", $"{name}/conv", [input, weight], Attr.Of("kernel_shape", [(long)kernel, kernel]), Attr.Of("pads", [pad, pad, pad, pad]), Attr.Of("group", (long)groups));
    }

    // Uniform in ±√(6 / fan-in) (He et al. 2015, for rectifiers); every tensor has a stream of its own.
    private Value Weight(string name, long[] dims, int fanIn)
    {
        var random = new SeededRandom(Seed, tensors++);
        var bound = Math.Sqrt(6.0 / fanIn);
        var elements = new float[dims.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < elements.Length; i++)
            elements[i] = (float)(bound * (2 * random.NextDouble() - 1));
        return graph.AddInitializer(name, TensorData.Create<float>(dims, elements));
    }

    private Value Filled(string name, int count, float value) => graph.AddInitializer(name, TensorData.Vector<float>([.. Enumerable.Repeat(value, count)]));

    private Value Call(string op, string name, Value[] inputs, params Attr[] attributes)
    {
        var output = graph.AddValue(name);
        graph.AddNode(op, inputs, [output], attributes: attributes, name: name);
        return output;
    }
}
