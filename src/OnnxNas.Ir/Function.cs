namespace OnnxNas.Ir;

/// <summary>A model-local function: a graph over formal inputs, outputs and attributes.</summary>
public sealed class Function(string domain, string name, Graph body)
{
    /// <summary>The domain of the operator it implements.</summary>
    public string Domain { get; } = domain;

    /// <summary>The name of the operator it implements.</summary>
    public string Name { get; } = name;

    /// <summary>Which overload; "" for the only one.</summary>
    public string Overload { get; init; } = "";

    /// <summary>The body. Its inputs and outputs are the formal ones, without types.</summary>
    public Graph Body { get; } = body;

    /// <summary>Formal attributes without a default.</summary>
    public IList<string> AttributeNames { get; } = [];

    /// <summary>Formal attributes with a default.</summary>
    public IList<Attr> AttributeDefaults { get; } = [];

    /// <summary>Operator sets of the body: domain to version.</summary>
    public IDictionary<string, long> OpsetImports { get; } = new OrderedDictionary<string, long>();

    /// <summary>Text for the reader of the file.</summary>
    public string? DocString { get; set; }

    /// <summary>Key-value pairs of the file.</summary>
    public IDictionary<string, string> Metadata { get; } = new OrderedDictionary<string, string>();

    internal Google.Protobuf.IMessage? Residue { get; set; }
}
