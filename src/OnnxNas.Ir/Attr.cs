using System.Text;

namespace OnnxNas.Ir;

/// <summary>Kinds of attributes; the numbers are those of ONNX's <c>AttributeType</c>.</summary>
public enum AttrKind
{
#pragma warning disable CS1591 // The names say it all.
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    Type = 13,
    Types = 14,
#pragma warning restore CS1591
}

/// <summary>A named constant of a node. Immutable, apart from graphs it holds.</summary>
public sealed class Attr
{
    private readonly object? value;

    private Attr(string name, AttrKind kind, object? value)
    {
        Name = name;
        Kind = kind;
        this.value = value;
    }

    /// <summary>The attribute's name.</summary>
    public string Name { get; }

    /// <summary>What it holds.</summary>
    public AttrKind Kind { get; }

    /// <summary>In a function body: the name of the function's attribute whose value counts. The attribute then holds none itself.</summary>
    public string? RefAttrName { get; init; }

    internal Google.Protobuf.IMessage? Residue { get; init; }

#pragma warning disable CS1591 // One factory and one accessor per kind.
    public static Attr Of(string name, long value) => new(name, AttrKind.Int, value);
    public static Attr Of(string name, float value) => new(name, AttrKind.Float, value);
    public static Attr Of(string name, string value) => new(name, AttrKind.String, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(value));
    public static Attr Of(string name, ReadOnlyMemory<byte> value) => new(name, AttrKind.String, value);
    public static Attr Of(string name, IEnumerable<long> value) => new(name, AttrKind.Ints, value.ToArray());
    public static Attr Of(string name, IEnumerable<float> value) => new(name, AttrKind.Floats, value.ToArray());
    public static Attr Of(string name, IEnumerable<string> value) => new(name, AttrKind.Strings, value.Select(s => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(s)).ToArray());
    public static Attr Of(string name, IEnumerable<ReadOnlyMemory<byte>> value) => new(name, AttrKind.Strings, value.ToArray());
    public static Attr Of(string name, TensorData value) => new(name, AttrKind.Tensor, value);
    public static Attr Of(string name, IEnumerable<TensorData> value) => new(name, AttrKind.Tensors, value.ToArray());
    public static Attr Of(string name, Graph value) => new(name, AttrKind.Graph, value);
    public static Attr Of(string name, IEnumerable<Graph> value) => new(name, AttrKind.Graphs, value.ToArray());
    public static Attr Of(string name, SparseTensorData value) => new(name, AttrKind.SparseTensor, value);
    public static Attr Of(string name, IEnumerable<SparseTensorData> value) => new(name, AttrKind.SparseTensors, value.ToArray());
    public static Attr Of(string name, OnnxType value) => new(name, AttrKind.Type, value);
    public static Attr Of(string name, IEnumerable<OnnxType> value) => new(name, AttrKind.Types, value.ToArray());

    public long AsInt() => As<long>(AttrKind.Int);
    public float AsFloat() => As<float>(AttrKind.Float);
    public string AsString() => Encoding.UTF8.GetString(AsBytes().Span);
    public ReadOnlyMemory<byte> AsBytes() => As<ReadOnlyMemory<byte>>(AttrKind.String);
    public IReadOnlyList<long> AsInts() => As<long[]>(AttrKind.Ints);
    public IReadOnlyList<float> AsFloats() => As<float[]>(AttrKind.Floats);
    public IReadOnlyList<string> AsStrings() => [.. AsByteStrings().Select(s => Encoding.UTF8.GetString(s.Span))];
    public IReadOnlyList<ReadOnlyMemory<byte>> AsByteStrings() => As<ReadOnlyMemory<byte>[]>(AttrKind.Strings);
    public TensorData AsTensor() => As<TensorData>(AttrKind.Tensor);
    public IReadOnlyList<TensorData> AsTensors() => As<TensorData[]>(AttrKind.Tensors);
    public Graph AsGraph() => As<Graph>(AttrKind.Graph);
    public IReadOnlyList<Graph> AsGraphs() => As<Graph[]>(AttrKind.Graphs);
    public SparseTensorData AsSparseTensor() => As<SparseTensorData>(AttrKind.SparseTensor);
    public IReadOnlyList<SparseTensorData> AsSparseTensors() => As<SparseTensorData[]>(AttrKind.SparseTensors);
    public OnnxType AsType() => As<OnnxType>(AttrKind.Type);
    public IReadOnlyList<OnnxType> AsTypes() => As<OnnxType[]>(AttrKind.Types);
#pragma warning restore CS1591

    /// <summary>An attribute of a function body that takes its value from the function's attribute.</summary>
    public static Attr Reference(string name, AttrKind kind, string refAttrName) => new(name, kind, null) { RefAttrName = refAttrName };

    /// <summary>The graphs it holds: none, one or several.</summary>
    public IEnumerable<Graph> Graphs => value switch
    {
        Graph graph => [graph],
        Graph[] graphs => graphs,
        _ => [],
    };

    internal Attr Named(string name) => new(name, Kind, value) { Residue = Residue };

    internal Attr WithResidue(Google.Protobuf.IMessage? residue) => new(Name, Kind, value) { RefAttrName = RefAttrName, Residue = residue };

    private T As<T>(AttrKind expected) => Kind == expected && value is T typed
        ? typed
        : throw new ModelFormatException($"Attribute '{Name}' is expected to hold {expected}, but holds {(RefAttrName is null ? Kind.ToString() : $"a reference to '{RefAttrName}'")}.");
}
