using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;
using Dimension = OnnxNas.Ir.Serialization.Proto.TensorShapeProto.Types.Dimension;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Declared types of inputs, outputs and inner values: extents, ranks, element types, types that are no tensors.</summary>
internal static class TypeMutations
{
    private const string Kind = "types";

    public static IReadOnlyList<Mutation> All { get; } =
    [
        Extent("extreme extent", (dim, random) => dim.DimValue = Extremes.Integer(random)),
        Extent("strange symbol", (dim, random) => dim.DimParam = Extremes.Text(random)),
        Extent("unknown extent", (dim, _) => dim.ClearValue()),
        Shape("one axis fewer", s => s.Dim.Count > 0, (shape, random) => shape.Dim.RemoveAt(random.NextInt(shape.Dim.Count))),
        Shape("one axis more", _ => true, (shape, random) => shape.Dim.Insert(random.NextInt(shape.Dim.Count + 1), new Dimension { DimValue = random.NextInt(4) })),
        Shape("very many axes", _ => true, (shape, random) => shape.Dim.AddRange(Enumerable.Range(0, 1 << random.NextInt(10)).Select(i => new Dimension { DimParam = $"s{i}" }))),
        Shape("no axes", _ => true, (shape, _) => shape.Dim.Clear()),
        Shape("all extents extreme", s => s.Dim.Count > 0, (shape, random) =>
        {
            var number = Extremes.Integer(random);
            foreach (var dim in shape.Dim)
                dim.DimValue = number;
        }),
        Tensor("no shape", (type, _) => type.Shape = null),
        Tensor("another element type", (type, random) => type.ElemType = random.NextInt(4) == 0 ? (int)Extremes.Integer(random) : random.NextInt(28)),
        Info("no type", (info, _) => info.Type = null),
        Info("a sequence", (info, _) => info.Type = new() { SequenceType = new() { ElemType = info.Type } }),
        Info("an optional", (info, _) => info.Type = new() { OptionalType = new() { ElemType = info.Type } }),
        Info("a map", (info, random) => info.Type = new() { MapType = new() { KeyType = random.NextInt(20), ValueType = info.Type } }),
        Info("a type that is empty", (info, _) => info.Type = new()),
        ModelParts.Edit(Kind, "type for an inner value", ModelParts.Graphs, (graph, model, random) =>
        {
            if (ModelParts.Names(model) is not { Count: > 0 } names)
                return;
            var info = new ValueInfoProto { Name = random.Pick(names), Type = new() { TensorType = new() { ElemType = random.NextInt(17), Shape = new() } } };
            for (var rank = random.NextInt(5); rank > 0; rank--)
                info.Type.TensorType.Shape.Dim.Add(random.NextInt(2) == 0 ? new Dimension { DimValue = Extremes.Integer(random) } : new Dimension { DimParam = Extremes.Text(random) });
            graph.ValueInfo.Add(info);
        }),
    ];

    private static IEnumerable<TypeProto.Types.Tensor> Tensors(ModelProto model) => ModelParts.Infos(model).Select(i => i.Type?.TensorType).OfType<TypeProto.Types.Tensor>();

    private static IEnumerable<TensorShapeProto> Shapes(ModelProto model) => Tensors(model).Select(t => t.Shape).OfType<TensorShapeProto>();

    private static Mutation Extent(string name, Action<Dimension, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => Shapes(model).SelectMany(s => s.Dim), (dim, _, random) => change(dim, random));

    private static Mutation Shape(string name, Func<TensorShapeProto, bool> fits, Action<TensorShapeProto, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => Shapes(model).Where(fits), (shape, _, random) => change(shape, random));

    private static Mutation Tensor(string name, Action<TypeProto.Types.Tensor, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, Tensors, (type, _, random) => change(type, random));

    private static Mutation Info(string name, Action<ValueInfoProto, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => ModelParts.Infos(model).Where(i => i.Type is not null), (info, _, random) => change(info, random));
}
