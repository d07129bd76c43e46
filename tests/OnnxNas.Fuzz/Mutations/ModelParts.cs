using Google.Protobuf;
using Google.Protobuf.Collections;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>The parts of a model's message, those of subgraphs and functions included.</summary>
internal static class ModelParts
{
    /// <summary>A mutation of the parsed message; the change says whether it found something.</summary>
    public static Mutation Edit(string kind, string name, Func<ModelProto, SeededRandom, bool> change) => new(kind, name, (bytes, random) =>
    {
        try
        {
            var model = ModelProto.Parser.ParseFrom(bytes);
            return change(model, random) ? model.ToByteArray() : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    });

    /// <summary>A mutation of one of the parts that <paramref name="parts"/> finds.</summary>
    public static Mutation Edit<T>(string kind, string name, Func<ModelProto, IEnumerable<T>> parts, Action<T, ModelProto, SeededRandom> change) => Edit(kind, name, (model, random) =>
    {
        var found = parts(model).ToList();
        if (found.Count == 0)
            return false;
        change(random.Pick(found), model, random);
        return true;
    });

    public static IEnumerable<RepeatedField<NodeProto>> NodeLists(ModelProto model)
    {
        var roots = model.Functions.Select(f => f.Node);
        if (model.Graph is not null)
            roots = roots.Prepend(model.Graph.Node);
        return roots.SelectMany(list => Subgraphs(list).Select(g => g.Node).Prepend(list));
    }

    public static IEnumerable<NodeProto> Nodes(ModelProto model) => NodeLists(model).SelectMany(list => list);

    public static IEnumerable<GraphProto> Graphs(ModelProto model)
    {
        var inner = Nodes(model).SelectMany(n => n.Attribute).SelectMany(Graphs);
        return model.Graph is null ? inner : inner.Prepend(model.Graph);
    }

    public static IEnumerable<AttributeProto> Attributes(ModelProto model) => Nodes(model).SelectMany(n => n.Attribute).Concat(model.Functions.SelectMany(f => f.AttributeProto));

    public static IEnumerable<TensorProto> Tensors(ModelProto model) => Graphs(model).SelectMany(g => g.Initializer)
        .Concat(Attributes(model).SelectMany(a => a.T is null ? a.Tensors : a.Tensors.Prepend(a.T)));

    public static IEnumerable<ValueInfoProto> Infos(ModelProto model) => Graphs(model).SelectMany(g => g.Input.Concat(g.Output).Concat(g.ValueInfo)).Concat(model.Functions.SelectMany(f => f.ValueInfo));

    /// <summary>Names of values, those that several graphs define once each.</summary>
    public static List<string> Names(ModelProto model) =>
    [
        .. Graphs(model).SelectMany(g => g.Input.Select(i => i.Name).Concat(g.Initializer.Select(i => i.Name))), .. Nodes(model).SelectMany(n => n.Output),
    ];

    /// <summary>The name of a value; empty where there are none.</summary>
    public static string Name(ModelProto model, SeededRandom random) => Names(model) is { Count: > 0 } names ? random.Pick(names) : "";

    private static IEnumerable<GraphProto> Subgraphs(IEnumerable<NodeProto> nodes) =>
        nodes.SelectMany(n => n.Attribute).SelectMany(Graphs).SelectMany(g => Subgraphs(g.Node).Prepend(g));

    private static IEnumerable<GraphProto> Graphs(AttributeProto attribute) => attribute.G is null ? attribute.Graphs : attribute.Graphs.Prepend(attribute.G);
}
