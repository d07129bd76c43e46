namespace OnnxNas.Ir;

/// <summary>One place a value is read: input <paramref name="Index"/> of <paramref name="Node"/>.</summary>
public readonly record struct Use(Node Node, int Index);

/// <summary>
/// A named value of a graph: a graph input, an initializer, or an output of a node. Compared by identity.
/// A value knows the graph that owns it, the node that makes it and the nodes that read it.
/// </summary>
public sealed class Value
{
    private readonly List<Use> uses = [];

    internal Value(Graph graph, string name)
    {
        Graph = graph;
        Name = name;
    }

    /// <summary>The graph that defines the value. Nodes of its subgraphs may read it too.</summary>
    public Graph Graph { get; internal set; }

    /// <summary>The name, unique in its graph. Changed by <see cref="Ir.Graph.Rename"/>.</summary>
    public string Name { get; internal set; }

    /// <summary>The type, where declared or inferred.</summary>
    public OnnxType? Type { get; set; }

    /// <summary>The node that makes it; null for inputs and initializers.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Which output of <see cref="Producer"/> it is.</summary>
    public int OutputIndex { get; internal set; }

    /// <summary>The constant that initialises it. An initializer that is a graph input too is a default the caller may replace.</summary>
    public TensorData? Initializer { get; internal set; }

    /// <summary>Whether it is an input of its graph.</summary>
    public bool IsInput => Graph.Inputs.Contains(this);

    /// <summary>Whether it is an output of its graph.</summary>
    public bool IsOutput => Graph.Outputs.Contains(this);

    /// <summary>Where it is read, in the order the reads were made. Being a graph output is no use.</summary>
    public IReadOnlyList<Use> Uses => uses;

    /// <summary>Whether anything reads it: a node, or the caller of the graph.</summary>
    public bool IsUsed => uses.Count > 0 || IsOutput;

    /// <summary>The extents, where it is a tensor of known rank.</summary>
    public Shape? Shape => (Type as TensorType)?.Shape;

    /// <summary>The element type, where it is a tensor whose type is known.</summary>
    public ElementType Element => (Type as TensorType)?.Element ?? Initializer?.Type ?? ElementType.Undefined;

    /// <summary>Text for the reader of the file.</summary>
    public string? DocString { get; set; }

    /// <summary>Key-value pairs of the file.</summary>
    public IDictionary<string, string> Metadata { get; } = new OrderedDictionary<string, string>();

    /// <summary>Whether training changes the constant; null where that has not been decided. Copies of the graph keep it, files do not.</summary>
    public bool? Trains { get; set; }

    internal Google.Protobuf.IMessage? Residue { get; set; }

    internal void AddUse(Use use) => uses.Add(use);

    // Nodes drop their inputs from the last on: one node may read a value a million times, and few others after it.
    internal void RemoveUse(Use use)
    {
        var at = uses.Count > 0 && uses[0] == use ? 0 : uses.LastIndexOf(use);
        if (at >= 0)
            uses.RemoveAt(at);
    }

    internal Use[] TakeUses()
    {
        Use[] all = [.. uses];
        uses.Clear();
        return all;
    }

    /// <inheritdoc/>
    public override string ToString() => $"%{Name}";
}
