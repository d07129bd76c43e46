using OnnxNas.Ir;

namespace OnnxNas.Operators;

/// <summary>
/// Reads the attributes of a node for <see cref="OperatorDefinition.Bind"/>. Remembers which were read, so that an attribute nobody knows is refused.
/// </summary>
public sealed class NodeReader
{
    private readonly HashSet<string> read = new(StringComparer.Ordinal);

    internal NodeReader(Node node, int version)
    {
        Node = node;
        Version = version;
    }

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>The since-version of the operator that serves the node.</summary>
    public int Version { get; }

    /// <summary>Number of inputs, omitted ones in between included.</summary>
    public int InputCount => Node.Inputs.Count;

    /// <summary>Whether input <paramref name="index"/> is given.</summary>
    public bool HasInput(int index) => Node.Input(index) is not null;

    /// <summary>Whether the node has an attribute.</summary>
    public bool Has(string name) => Attribute(name) is not null;

    /// <summary>The attribute, or null.</summary>
    public Attr? Attribute(string name)
    {
        read.Add(name);
        return Node.Attribute(name);
    }

    /// <summary>An integer attribute.</summary>
    public long Int(string name, long fallback) => Attribute(name)?.AsInt() ?? fallback;

    /// <summary>An integer attribute that must be there.</summary>
    public long Int(string name) => Attribute(name)?.AsInt() ?? throw Missing(name);

    /// <summary>An integer attribute used as a flag.</summary>
    public bool Flag(string name, bool fallback) => Int(name, fallback ? 1 : 0) != 0;

    /// <summary>A float attribute.</summary>
    public float Float(string name, float fallback) => Attribute(name)?.AsFloat() ?? fallback;

    /// <summary>A string attribute.</summary>
    public string String(string name, string fallback) => Attribute(name)?.AsString() ?? fallback;

    /// <summary>A list of integers, or null.</summary>
    public long[]? Ints(string name) => Attribute(name)?.AsInts().ToArray();

    /// <summary>A list of floats, or null.</summary>
    public float[]? Floats(string name) => Attribute(name)?.AsFloats().ToArray();

    /// <summary>A list of strings, or null.</summary>
    public string[]? Strings(string name) => Attribute(name)?.AsStrings().ToArray();

    /// <summary>A tensor, or null.</summary>
    public TensorData? Tensor(string name) => Attribute(name)?.AsTensor();

    /// <summary>Marks attributes as known that have no influence on the result.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            read.Add(name);
    }

    /// <summary>An error that names node, operator and version; <paramref name="what"/> says what is not supported and what to do.</summary>
    public UnsupportedOperatorException Unsupported(string what) => new($"{Node} (version {Version}): {what}");

    /// <summary>An error that names node, operator and version; <paramref name="what"/> says what is wrong with the file.</summary>
    public ModelFormatException Malformed(string what) => new($"{Node} (version {Version}): {what}");

    internal void RequireAllRead()
    {
        foreach (var name in Node.Attributes.Keys)
        {
            if (!read.Contains(name))
                throw Unsupported($"attribute '{name}' is not known to this version of the operator; remove it, or check the model's opset.");
        }
    }

    private ModelFormatException Missing(string name) => Malformed($"attribute '{name}' is missing; the operator needs it.");
}
