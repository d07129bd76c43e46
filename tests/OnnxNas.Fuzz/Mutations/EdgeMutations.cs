using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Who reads and makes which value: inputs and outputs of nodes and graphs swapped, missing, empty, doubled; cycles.</summary>
internal static class EdgeMutations
{
    private const string Kind = "edges";

    public static IReadOnlyList<Mutation> All { get; } =
    [
        Reader("swap inputs", (node, i, _, random) =>
        {
            var other = random.NextInt(node.Input.Count);
            (node.Input[i], node.Input[other]) = (node.Input[other], node.Input[i]);
        }),
        Reader("read another value", (node, i, model, random) => node.Input[i] = ModelParts.Name(model, random)),
        Reader("leave an input out", (node, i, _, _) => node.Input[i] = ""),
        Reader("drop an input", (node, i, _, _) => node.Input.RemoveAt(i)),
        Reader("drop the last inputs", (node, i, _, _) =>
        {
            while (node.Input.Count > i)
                node.Input.RemoveAt(i);
        }),
        Reader("read what nothing makes", (node, i, _, random) => node.Input[i] = Extremes.Text(random)),
        Reader("read its own output", (node, i, _, _) => node.Input[i] = node.Output.FirstOrDefault() ?? ""),
        Node("more inputs", (node, model, random) =>
        {
            for (var more = 1 + random.NextInt(4); more > 0; more--)
                node.Input.Add(random.NextInt(4) == 0 ? "" : ModelParts.Name(model, random));
        }),
        Node("no inputs", (node, _, _) => node.Input.Clear()),
        Maker("drop an output", (node, i, _, _) => node.Output.RemoveAt(i)),
        Maker("leave an output out", (node, i, _, _) => node.Output[i] = ""),
        Maker("rename an output", (node, i, _, random) => node.Output[i] = Extremes.Text(random)),
        Maker("make what another makes", (node, i, model, random) => node.Output[i] = ModelParts.Name(model, random)),
        Node("more outputs", (node, _, random) =>
        {
            for (var more = 1 + random.NextInt(4); more > 0; more--)
                node.Output.Add(random.NextInt(4) == 0 ? "" : $"more_{more}");
        }),
        ModelParts.Edit(Kind, "return another value", Outputs, (output, model, random) => output.Name = ModelParts.Name(model, random)),
        ModelParts.Edit(Kind, "rename an input of a graph", model => ModelParts.Graphs(model).SelectMany(g => g.Input), (input, _, random) => input.Name = Extremes.Text(random)),
        Graph("drop an input of a graph", g => g.Input.Count > 0, (graph, _, random) => graph.Input.RemoveAt(random.NextInt(graph.Input.Count))),
        Graph("drop an output of a graph", g => g.Output.Count > 0, (graph, _, random) => graph.Output.RemoveAt(random.NextInt(graph.Output.Count))),
        Graph("return twice", g => g.Output.Count > 0, (graph, _, random) => graph.Output.Add(random.Pick(graph.Output).Clone())),
        Graph("drop an initializer", g => g.Initializer.Count > 0, (graph, _, random) => graph.Initializer.RemoveAt(random.NextInt(graph.Initializer.Count))),
        Graph("an initializer is an input too", g => g.Initializer.Count > 0, (graph, _, random) => graph.Input.Add(new ValueInfoProto { Name = random.Pick(graph.Initializer).Name })),
        Graph("an initializer is an input only", g => g.Initializer.Count > 0, (graph, _, random) =>
        {
            var at = random.NextInt(graph.Initializer.Count);
            var tensor = graph.Initializer[at];
            var type = new TypeProto.Types.Tensor { ElemType = tensor.DataType, Shape = new() };
            type.Shape.Dim.AddRange(tensor.Dims.Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
            graph.Initializer.RemoveAt(at);
            graph.Input.Add(new ValueInfoProto { Name = tensor.Name, Type = new() { TensorType = type } });
        }),
    ];

    private static IEnumerable<ValueInfoProto> Outputs(ModelProto model) => ModelParts.Graphs(model).SelectMany(g => g.Output);

    private static Mutation Node(string name, Action<NodeProto, ModelProto, SeededRandom> change) => ModelParts.Edit(Kind, name, ModelParts.Nodes, change);

    private static Mutation Reader(string name, Action<NodeProto, int, ModelProto, SeededRandom> change) => ModelParts.Edit(Kind, name,
        model => ModelParts.Nodes(model).Where(n => n.Input.Count > 0), (node, model, random) => change(node, random.NextInt(node.Input.Count), model, random));

    private static Mutation Maker(string name, Action<NodeProto, int, ModelProto, SeededRandom> change) => ModelParts.Edit(Kind, name,
        model => ModelParts.Nodes(model).Where(n => n.Output.Count > 0), (node, model, random) => change(node, random.NextInt(node.Output.Count), model, random));

    private static Mutation Graph(string name, Func<GraphProto, bool> fits, Action<GraphProto, ModelProto, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => ModelParts.Graphs(model).Where(fits), change);
}
