using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators;

namespace OnnxNas.Testing;

/// <summary>Makes a model of one node out of a row, and asks its shape rule.</summary>
internal static class OperatorModel
{
    private const string Symbol = "N";

    // The newest opset that ONNX Runtime runs.
    private const int OracleOpset = 26;

    public static int IndexOf(string inputName) => int.Parse(inputName[1..], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The value of the symbol that stands for the first input's first extent.</summary>
    public static IReadOnlyDictionary<string, long> Symbols(OperatorCase row) =>
        row.Inputs is [{ Dims: [var first, ..] }, ..] ? new Dictionary<string, long> { [Symbol] = first } : new();

    public static Model Build(OperatorCase row, bool weightsFixed)
    {
        var graph = new Graph("case");
        var inputs = new List<Value?>();
        for (var i = 0; i < row.Inputs.Count; i++)
        {
            if (row.Inputs[i] is not { } data)
                inputs.Add(null);
            else if (row.Constants.Contains(i) || weightsFixed && row.Weights.Contains(i))
                inputs.Add(graph.AddInitializer($"i{i}", data));
            else
                inputs.Add(graph.AddInput($"i{i}", new TensorType(data.Type, Shape.Of(data.Dims))));
        }

        var outputs = Enumerable.Range(0, row.Outputs).Select(i => graph.AddValue($"o{i}")).ToList();
        var bodies = row.Bodies?.Invoke(graph, [.. inputs.TakeLast(row.Captured).OfType<Value>()]) ?? [];
        graph.AddNode(row.OpType, inputs.SkipLast(row.Captured), outputs, row.Domain, [.. row.Attributes, .. bodies], "node");
        foreach (var output in outputs)
            graph.AddOutput(output);
        var model = new Model(graph) { IrVersion = row.Opset >= 21 ? 10 : 8 };
        if (row.Domain.Length > 0)
            model.OpsetImports[""] = 17;
        model.OpsetImports[row.Domain] = row.Opset;
        if (row.Refusal is null)
            Declare(row, model);
        return model;
    }

    /// <summary>The model for ONNX Runtime: that of the row, or the composition that stands for its node.</summary>
    public static Model ForOracle(OperatorCase row, Model model)
    {
        if (row.Composition is null)
            return model;
        var oracle = model.Clone();
        var (graph, node) = (oracle.Graph, oracle.Graph.First!);
        foreach (var (output, i) in row.Composition(graph, [.. node.Inputs]).Select((output, i) => (output, i)))
        {
            output.Type = node.Outputs[i]!.Type;
            graph.ReplaceOutput(i, output);
        }

        graph.RemoveNode(node);
        oracle.OpsetImports[""] = OracleOpset;
        oracle.OpsetImports["com.microsoft"] = 1;
        return oracle;
    }

    public static IReadOnlyDictionary<string, TensorData> Feeds(OperatorCase row, Model model) =>
        model.Graph.Inputs.ToDictionary(v => v.Name, v => row.Inputs[IndexOf(v.Name)]!);

    /// <summary>What the shape rule says; with the first extent of the first input as a symbol, if it is not fixed by a constant.</summary>
    public static IReadOnlyList<InferredValue?> Infer(OperatorCase row, Model model, bool symbolic)
    {
        var node = model.Graph.First!;
        var known = node.Inputs.Select((v, i) => v is null ? null : Known(v, row.Inputs[i]!, symbolic && i == 0)).ToList();
        var context = new InferenceContext(node, known, [.. node.Inputs.Select(v => v?.Initializer)]);
        return OperatorRegistry.Default.Infer(context, model.OpsetVersions());
    }

    private static InferredValue Known(Value value, TensorData data, bool symbolic)
    {
        var shape = Shape.Of(data.Dims);
        if (symbolic && shape.Rank > 0 && value.Initializer is null)
            shape = new Shape([Dim.Symbol(Symbol), .. shape.Skip(1)]);
        var elements = value.Initializer is { Type: ElementType.Int64 or ElementType.Int32 } && data.Dims.Count <= 1
            ? data.ToInt64s().Select(Dim.Known).ToList()
            : null;
        return new InferredValue(new TensorType(data.Type, shape), elements);
    }

    // A file must give the types of its outputs.
    private static void Declare(OperatorCase row, Model model)
    {
        var inferred = Infer(row, model, symbolic: false);
        foreach (var (value, type) in model.Graph.Outputs.Zip(inferred))
            value.Type = type?.Type is TensorType tensor ? new TensorType(tensor.Element, row.DynamicShape ? null : tensor.Shape) : type?.Type;
    }
}
