using OnnxNas.Ir;

namespace OnnxNas.Testing;

/// <summary>
/// Makes small models node by node, choice markers included. Weights are drawn from the seed, so the same calls give the same model.
/// </summary>
public sealed class NetBuilder(long seed = 1, ElementType type = ElementType.Float32)
{
    private readonly SeededRandom random = new(seed);

    /// <summary>The graph so far.</summary>
    public Graph Graph { get; } = new("net");

    /// <summary>An input.</summary>
    public Value Input(string name, params Dim[] dims) => Graph.AddInput(name, new TensorType(type, new Shape(dims)));

    /// <summary>A constant of normally distributed numbers.</summary>
    public Value Weight(string name, params long[] dims) => Constant(name, dims, _ => 0.5 * random.NextGaussian());

    /// <summary>A constant.</summary>
    public Value Constant(string name, long[] dims, Func<int, double> element)
    {
        var count = (int)dims.Aggregate(1L, (a, b) => a * b);
        var numbers = Enumerable.Range(0, count).Select(element).ToArray();
        return Graph.AddInitializer(name, type == ElementType.Float64
            ? TensorData.Create<double>(dims, numbers)
            : TensorData.Create<float>(dims, [.. numbers.Select(n => (float)n)]));
    }

    /// <summary>An operator with one output.</summary>
    public Value Op(string op, params Value?[] inputs) => Graph.Call(op, inputs);

    /// <summary>An operator with attributes and one output.</summary>
    public Value Op(string op, Value?[] inputs, params Attr[] attributes) => Graph.Call(op, inputs, attributes: attributes);

    /// <summary>x·W + b with weights of its own, <c>[N,from]</c> to <c>[N,to]</c>.</summary>
    public Value Linear(string name, Value x, long from, long to) => Op("Gemm", x, Weight($"{name}.weight", from, to), Weight($"{name}.bias", to));

    /// <summary>BatchNormalization as an exporter in training mode leaves it.</summary>
    public Value BatchNorm(string name, Value x, long channels, float momentum = 0.9f)
    {
        var output = Graph.AddValue($"{name}.out");
        Graph.AddNode("BatchNormalization",
            [x, Constant($"{name}.scale", [channels], i => 1 + 0.1 * i), Weight($"{name}.bias", channels), Constant($"{name}.mean", [channels], i => 0.1 * i), Constant($"{name}.var", [channels], i => 1 + 0.2 * i)],
            [output, Graph.AddValue($"{name}.next_mean"), Graph.AddValue($"{name}.next_var")],
            attributes: [Attr.Of("momentum", momentum), Attr.Of("training_mode", 1L)], name: name);
        return output;
    }

    /// <summary>A LayerChoice marker.</summary>
    public Value LayerChoice(string label, string[]? names, params Value[] candidates) => Graph.Call("LayerChoice", candidates, $"{label}.y", "org.onnxnas",
        names is null ? [Attr.Of("label", label)] : [Attr.Of("label", label), Attr.Of("candidates", (IEnumerable<string>)names)]);

    /// <summary>An InputChoice marker.</summary>
    public Value InputChoice(string label, long chosen, string reduction, params Value[] inputs) => Graph.Call("InputChoice", inputs, $"{label}.y", "org.onnxnas",
        [Attr.Of("label", label), Attr.Of("n_chosen", chosen), Attr.Of("reduction", reduction)]);

    /// <summary>The model, whose outputs are these values, declared as given.</summary>
    public Model Build(params (Value Value, Dim[] Dims)[] outputs)
    {
        foreach (var (value, dims) in outputs)
        {
            value.Type ??= new TensorType(type, new Shape(dims));
            Graph.AddOutput(value);
        }

        var model = new Model(Graph) { IrVersion = 8, ProducerName = "test" };
        model.OpsetImports[""] = 17;
        if (Graph.Nodes.Any(n => n.Domain == "org.onnxnas"))
            model.OpsetImports["org.onnxnas"] = 1;
        return model;
    }
}
