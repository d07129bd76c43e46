namespace OnnxNas.Ir;

/// <summary>One call of an operator or a model-local function. Compared by identity; lives in one graph.</summary>
public sealed class Node
{
    private readonly List<Value?> inputs;
    private readonly List<Value?> outputs;
    private readonly OrderedDictionary<string, Attr> attributes = [];

    internal Node(Graph graph, string opType, string domain, IEnumerable<Value?> inputs, IEnumerable<Value?> outputs)
    {
        Graph = graph;
        OpType = opType;
        Domain = domain;
        this.inputs = [.. inputs];
        this.outputs = [.. outputs];
        for (var i = 0; i < this.inputs.Count; i++)
            this.inputs[i]?.AddUse(new(this, i));
        for (var i = 0; i < this.outputs.Count; i++)
            Adopt(this.outputs[i], i);
    }

    /// <summary>The graph it stands in.</summary>
    public Graph Graph { get; }

    /// <summary>The node before it, or null.</summary>
    public Node? Previous { get; internal set; }

    /// <summary>The node after it, or null.</summary>
    public Node? Next { get; internal set; }

    /// <summary>The operator's name.</summary>
    public string OpType { get; }

    /// <summary>The operator's domain; "" for ai.onnx.</summary>
    public string Domain { get; }

    /// <summary>Which overload of a model-local function; "" for the only one.</summary>
    public string Overload { get; set; } = "";

    /// <summary>The node's own name; may be empty, need not be unique.</summary>
    public string Name { get; set; } = "";

    /// <summary>Text for the reader of the file.</summary>
    public string? DocString { get; set; }

    /// <summary>Key-value pairs of the file.</summary>
    public IDictionary<string, string> Metadata { get; } = new OrderedDictionary<string, string>();

    /// <summary>What it reads. An omitted optional input is null.</summary>
    public IReadOnlyList<Value?> Inputs => inputs;

    /// <summary>What it makes. An omitted optional output is null.</summary>
    public IReadOnlyList<Value?> Outputs => outputs;

    /// <summary>The first output.</summary>
    /// <exception cref="ModelFormatException">The node has none.</exception>
    public Value Output => (outputs.Count > 0 ? outputs[0] : null) ?? throw new ModelFormatException($"{this} has no first output.");

    /// <summary>Its attributes by name, in the order of the file.</summary>
    public IReadOnlyDictionary<string, Attr> Attributes => attributes;

    /// <summary>The graphs its attributes hold.</summary>
    public IEnumerable<Graph> Subgraphs => attributes.Values.SelectMany(a => a.Graphs);

    /// <summary>Whether the node has been taken out of its graph.</summary>
    public bool IsRemoved { get; internal set; }

    internal Google.Protobuf.IMessage? Residue { get; set; }

    /// <summary>The attribute of that name, or null.</summary>
    public Attr? Attribute(string name) => attributes.GetValueOrDefault(name);

    /// <summary>Input <paramref name="index"/>, or null where it is omitted or past the end.</summary>
    public Value? Input(int index) => index < inputs.Count ? inputs[index] : null;

    /// <summary>Adds an attribute, or replaces the one of that name.</summary>
    public void SetAttribute(Attr attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        attributes[attribute.Name] = attribute;
    }

    /// <summary>Removes an attribute, if there.</summary>
    public void RemoveAttribute(string name) => attributes.Remove(name);

    /// <summary>Makes input <paramref name="index"/> read another value.</summary>
    public void ReplaceInput(int index, Value? value)
    {
        inputs[index]?.RemoveUse(new(this, index));
        inputs[index] = value;
        value?.AddUse(new(this, index));
    }

    /// <summary><see cref="ReplaceInput"/> for a use that the value read so far has forgotten already.</summary>
    internal void Redirect(int index, Value value)
    {
        inputs[index] = value;
        value.AddUse(new(this, index));
    }

    /// <summary>Makes the node read these values instead of its present ones.</summary>
    public void SetInputs(IEnumerable<Value?> values)
    {
        var next = values.ToList();
        DropInputs();
        inputs.AddRange(next);
        for (var i = 0; i < inputs.Count; i++)
            inputs[i]?.AddUse(new(this, i));
    }

    /// <summary>Drops the outputs from <paramref name="count"/> on.</summary>
    /// <exception cref="InvalidOperationException">One of them is still used.</exception>
    public void TruncateOutputs(int count)
    {
        while (outputs.Count > count)
        {
            if (outputs[^1] is { } last)
            {
                Graph.RequireUnused(last);
                Graph.Forget(last);
            }

            outputs.RemoveAt(outputs.Count - 1);
        }
    }

    /// <summary>What the node is called in reports: its name, or that of its first output, or its operator's.</summary>
    public string Label => OwnName ?? OpType;

    private string? OwnName => Name.Length > 0 ? Name : outputs.FirstOrDefault(o => o is not null)?.Name;

    /// <summary>Operator and name, as error messages show a node: <c>Conv 'l.0/Conv'</c>.</summary>
    public override string ToString()
    {
        var op = Domain.Length == 0 ? OpType : $"{Domain}::{OpType}";
        return OwnName is { } name ? $"{op} '{name}'" : op;
    }

    internal void DropInputs()
    {
        for (var i = inputs.Count - 1; i >= 0; i--)
            inputs[i]?.RemoveUse(new(this, i));
        inputs.Clear();
    }

    private void Adopt(Value? output, int index)
    {
        if (output is null)
            return;
        if (output.Producer is not null)
            throw new ModelFormatException($"Value '{output.Name}' is made by two nodes: {output.Producer} and {this}. Every value must have one maker.");
        output.Producer = this;
        output.OutputIndex = index;
    }
}
