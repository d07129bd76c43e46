namespace OnnxNas.Ir;

/// <summary>A graph-level note on how a tensor is quantised: the roles (<c>SCALE_TENSOR</c>, …) and the tensors that fill them.</summary>
public sealed record QuantizationAnnotation(string? TensorName, IReadOnlyList<KeyValuePair<string, string>> Parameters)
{
    internal Google.Protobuf.IMessage? Residue { get; init; }
}

/// <summary>
/// Nodes over named values. Owns both; edits keep the record of who makes and who reads each value.
/// Nodes form a linked list in execution order, so insertion and removal are cheap and safe while iterating.
/// </summary>
public sealed class Graph
{
    private readonly OrderedDictionary<string, Value> values = [];
    private readonly List<Value> inputs = [];
    private readonly List<Value> outputs = [];
    private readonly OrderedDictionary<string, Value> initializers = [];
    private readonly Dictionary<string, int> suffixes;

    /// <summary>An empty graph. <paramref name="outer"/> is the graph a subgraph lies in.</summary>
    public Graph(string name, Graph? outer = null)
    {
        Name = name;
        Outer = outer;
        suffixes = outer?.suffixes ?? new(StringComparer.Ordinal);
    }

    /// <summary>The graph's name.</summary>
    public string Name { get; set; }

    /// <summary>The graph a subgraph lies in, whose values it may read; null at the top.</summary>
    public Graph? Outer { get; }

    /// <summary>Text for the reader of the file.</summary>
    public string? DocString { get; set; }

    /// <summary>Key-value pairs of the file.</summary>
    public IDictionary<string, string> Metadata { get; } = new OrderedDictionary<string, string>();

    /// <summary>Values the caller gives.</summary>
    public IReadOnlyList<Value> Inputs => inputs;

    /// <summary>Values the caller gets.</summary>
    public IReadOnlyList<Value> Outputs => outputs;

    /// <summary>Values with a constant, in the order of the file.</summary>
    public IReadOnlyCollection<Value> Initializers => initializers.Values;

    /// <summary>Constants stored sparsely. They are carried through; no operator here reads them.</summary>
    public IList<SparseTensorData> SparseInitializers { get; } = [];

    /// <summary>Notes on quantised tensors.</summary>
    public IList<QuantizationAnnotation> QuantizationAnnotations { get; } = [];

    /// <summary>All values of this graph, in the order they were made.</summary>
    public IReadOnlyCollection<Value> Values => values.Values;

    /// <summary>The first node in order.</summary>
    public Node? First { get; private set; }

    /// <summary>The last node in order.</summary>
    public Node? Last { get; private set; }

    /// <summary>Number of nodes.</summary>
    public int NodeCount { get; private set; }

    internal Google.Protobuf.IMessage? Residue { get; set; }

    /// <summary>The nodes in order. The node at hand may be removed, and nodes inserted, while iterating.</summary>
    public IEnumerable<Node> Nodes
    {
        get
        {
            for (var node = First; node is not null;)
            {
                var next = node.Next;
                yield return node;
                node = node.IsRemoved ? next : node.Next;
            }
        }
    }

    /// <summary>The value of that name in this graph, or null.</summary>
    public Value? Find(string name) => values.GetValueOrDefault(name);

    /// <summary>The value of that name here or in a graph around, or null.</summary>
    public Value? Resolve(string name) => Find(name) ?? Outer?.Resolve(name);

    /// <summary>Declares a value without maker: give it one by <see cref="AddNode"/>, or make it an input or initializer.</summary>
    /// <exception cref="ModelFormatException">The name is taken.</exception>
    public Value AddValue(string name, OnnxType? type = null)
    {
        var value = new Value(this, name) { Type = type };
        if (!values.TryAdd(name, value))
            throw new ModelFormatException($"Graph '{Name}' defines value '{name}' twice. Every name must be given once.");
        return value;
    }

    /// <summary>Adds an input, or makes an existing value (an initializer) one.</summary>
    public Value AddInput(string name, OnnxType? type = null)
    {
        var value = Find(name) ?? AddValue(name, type);
        value.Type ??= type;
        inputs.Add(value);
        return value;
    }

    /// <summary>Takes an input off the list; the value stays if it is an initializer.</summary>
    /// <exception cref="InvalidOperationException">It is no initializer and still used.</exception>
    public void RemoveInput(Value value)
    {
        if (value.Initializer is null)
        {
            RequireUnused(value);
            inputs.Remove(value);
            Forget(value);
            return;
        }

        inputs.Remove(value);
    }

    /// <summary>Adds a constant. A graph input of that name gets it as default.</summary>
    public Value AddInitializer(string name, TensorData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var value = Find(name) ?? AddValue(name);
        if (value.Producer is not null)
            throw new ModelFormatException($"Value '{name}' is an initializer and an output of {value.Producer}. Every value must have one maker.");
        SetInitializer(value, data);
        return value;
    }

    /// <summary>Gives an initializer another constant.</summary>
    public void SetInitializer(Value value, TensorData data)
    {
        value.Initializer = data;
        value.Type ??= new TensorType(data.Type, Shape.Of(data.Dims));
        initializers[value.Name] = value;
    }

    /// <summary>Adds a constant under a fresh name.</summary>
    public Value AddConstant(string baseName, TensorData data) => AddInitializer(FreshName(baseName), data);

    /// <summary>Adds an output.</summary>
    public void AddOutput(Value value) => outputs.Add(value);

    /// <summary>Replaces output <paramref name="index"/>.</summary>
    public void ReplaceOutput(int index, Value value) => outputs[index] = value;

    /// <summary>Removes output <paramref name="index"/>.</summary>
    public void RemoveOutput(int index) => outputs.RemoveAt(index);

    /// <summary>
    /// Adds a node before <paramref name="before"/>, or at the end, whose outputs are existing values without a maker.
    /// </summary>
    public Node AddNode(string opType, IEnumerable<Value?> nodeInputs, IEnumerable<Value?> nodeOutputs, string domain = "", IEnumerable<Attr>? attributes = null, string name = "", Node? before = null)
    {
        var node = new Node(this, opType, domain, nodeInputs, nodeOutputs) { Name = name };
        foreach (var attribute in attributes ?? [])
            node.SetAttribute(attribute);
        Link(node, before);
        return node;
    }

    /// <summary>Adds a node with one output under a fresh name, and returns that output.</summary>
    public Value Call(string opType, IEnumerable<Value?> nodeInputs, string? outputName = null, string domain = "", IEnumerable<Attr>? attributes = null, Node? before = null)
    {
        var output = AddValue(FreshName(outputName ?? opType));
        AddNode(opType, nodeInputs, [output], domain, attributes, output.Name, before);
        return output;
    }

    /// <summary>Removes a node and the values it made.</summary>
    /// <exception cref="InvalidOperationException">One of its outputs is still used.</exception>
    public void RemoveNode(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        foreach (var output in node.Outputs)
        {
            if (output is not null)
                RequireUnused(output);
        }

        foreach (var inner in node.Subgraphs)
            inner.DropAllUses();
        node.DropInputs();
        foreach (var output in node.Outputs)
        {
            if (output is not null)
                Forget(output);
        }

        Unlink(node);
        node.IsRemoved = true;
    }

    /// <summary>
    /// Removes a node and leaves the values it made for other nodes to make; returns the node that stood after it.
    /// </summary>
    public Node? Detach(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var next = node.Next;
        foreach (var inner in node.Subgraphs)
            inner.DropAllUses();
        node.DropInputs();
        foreach (var output in node.Outputs)
        {
            if (output is not null)
                output.Producer = null;
        }

        Unlink(node);
        node.IsRemoved = true;
        return next;
    }

    /// <summary>Removes a value that nothing makes or reads: an unused initializer, or one without maker.</summary>
    /// <exception cref="InvalidOperationException">It is used.</exception>
    public void RemoveValue(Value value)
    {
        RequireUnused(value);
        inputs.Remove(value);
        Forget(value);
    }

    /// <summary>
    /// Makes every reader of <paramref name="old"/> read <paramref name="replacement"/>, but those that the replacement is computed by: they would
    /// read their own result. So a node can be put behind a value that it reads itself. Where <paramref name="old"/>
    /// is a graph output the output keeps its name: the replacement takes it over, or, where it cannot
    /// (it is an input, an initializer, an output already, or of another graph), through an Identity node.
    /// </summary>
    /// <remarks>Nodes keep their places; where a reader stands before the replacement, call <see cref="SortTopologically"/>.</remarks>
    public void ReplaceAllUses(Value old, Value replacement)
    {
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(replacement);
        Rewire(old, replacement, old.Uses.Count == 0 ? [] : Upstream(replacement));
    }

    /// <summary><see cref="ReplaceAllUses"/> for a replacement that is not computed from <paramref name="old"/>.</summary>
    internal void Rewire(Value old, Value replacement) => Rewire(old, replacement, []);

    private void Rewire(Value old, Value replacement, HashSet<Node> keepers)
    {
        if (ReferenceEquals(old, replacement))
            return;
        foreach (var use in old.TakeUses())
            use.Node.Redirect(use.Index, keepers.Contains(use.Node) ? old : replacement);

        if (!old.IsOutput)
            return;
        var name = old.Name;
        Rename(old, FreshName(name + "_replaced"));
        if (replacement.Producer is null || replacement.IsOutput || replacement.Graph != this)
        {
            var copy = AddValue(name, replacement.Type ?? old.Type);
            AddNode("Identity", [replacement], [copy], name: name);
            replacement = copy;
        }
        else
        {
            Rename(replacement, name);
        }

        (replacement.DocString, replacement.Residue) = (old.DocString, old.Residue);
        if (old.Type is not null)
            replacement.Type = old.Type;
        for (var i = 0; i < outputs.Count; i++)
        {
            if (ReferenceEquals(outputs[i], old))
                outputs[i] = replacement;
        }
    }

    /// <summary>Renames a value of this graph.</summary>
    /// <exception cref="ModelFormatException">The name is taken.</exception>
    public void Rename(Value value, string name)
    {
        if (value.Name == name)
            return;
        if (values.ContainsKey(name))
            throw new ModelFormatException($"Value '{value.Name}' cannot be renamed to '{name}': the name is taken.");
        values.Remove(value.Name);
        values[name] = value;
        if (value.Initializer is not null)
        {
            initializers.Remove(value.Name);
            initializers[name] = value;
        }

        value.Name = name;
    }

    /// <summary>A name no value here or in a graph around has, starting with <paramref name="baseName"/>. The same edits give the same names.</summary>
    public string FreshName(string baseName)
    {
        if (Resolve(baseName) is null && !suffixes.ContainsKey(baseName))
        {
            suffixes[baseName] = 0;
            return baseName;
        }

        while (true)
        {
            var number = suffixes[baseName] = suffixes.GetValueOrDefault(baseName) + 1;
            var name = $"{baseName}_{number}";
            if (Resolve(name) is null && suffixes.TryAdd(name, 0))
                return name;
        }
    }

    /// <summary>Puts nodes in execution order, keeping the present order where it is free.</summary>
    /// <exception cref="ModelFormatException">The graph has a cycle.</exception>
    public void SortTopologically()
    {
        var nodes = Nodes.ToList();
        var (order, cycle) = TopologicalOrder.Of(Needs(nodes));
        if (cycle.Count > 0)
            throw new ModelFormatException($"Graph '{Name}' has a cycle: {TopologicalOrder.Show(cycle, i => nodes[i].ToString())}. ONNX graphs must be acyclic; remove one of these connections.");
        First = Last = null;
        NodeCount = 0;
        foreach (var node in order.Select(i => nodes[i]))
        {
            node.Previous = node.Next = null;
            Link(node, null);
        }
    }

    /// <summary>The nodes of a cycle as text, or null where there is none.</summary>
    internal string? FindCycle()
    {
        var nodes = Nodes.ToList();
        var cycle = TopologicalOrder.Of(Needs(nodes)).Cycle;
        return cycle.Count == 0 ? null : TopologicalOrder.Show(cycle, i => nodes[i].ToString());
    }

    /// <summary>The values a node reads, those its subgraphs capture from this graph or one around included.</summary>
    public static IEnumerable<Value> Reads(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        foreach (var input in node.Inputs)
        {
            if (input is not null)
                yield return input;
        }

        foreach (var graph in node.Subgraphs)
        {
            foreach (var captured in graph.Captured())
                yield return captured;
        }
    }

    /// <summary>Values of graphs around that this graph, or one within, reads or returns.</summary>
    public IEnumerable<Value> Captured()
    {
        foreach (var node in Nodes)
        {
            foreach (var value in Reads(node))
            {
                if (value.Graph != this)
                    yield return value;
            }
        }

        foreach (var output in outputs)
        {
            if (output.Graph != this)
                yield return output;
        }
    }

    internal void RequireUnused(Value value)
    {
        if (value.Uses.Count > 0)
            throw new InvalidOperationException($"Value '{value.Name}' is still read by {string.Join(", ", value.Uses.Select(u => u.Node).Distinct().Take(3))}.");
        if (value.IsOutput)
            throw new InvalidOperationException($"Value '{value.Name}' is an output of graph '{Name}'.");
    }

    internal void Forget(Value value)
    {
        values.Remove(value.Name);
        initializers.Remove(value.Name);
        value.Producer = null;
    }

    private static List<HashSet<int>> Needs(List<Node> nodes)
    {
        var places = nodes.Index().ToDictionary(n => n.Item, n => n.Index);
        return [.. nodes.Select(node => Reads(node).Select(v => v.Producer).OfType<Node>().Where(places.ContainsKey).Select(maker => places[maker]).ToHashSet())];
    }

    // The nodes that a value is computed by, those in graphs that they hold included.
    private static HashSet<Node> Upstream(Value value)
    {
        var found = new HashSet<Node>();
        var open = new Stack<Node>();
        Open(value);
        while (open.TryPop(out var node))
        {
            foreach (var read in Reads(node))
                Open(read);
            foreach (var inner in node.Subgraphs.SelectMany(Within))
                found.Add(inner);
        }

        return found;

        void Open(Value read)
        {
            if (read.Producer is { } maker && found.Add(maker))
                open.Push(maker);
        }

        static IEnumerable<Node> Within(Graph graph) => graph.Nodes.SelectMany(n => n.Subgraphs.SelectMany(Within).Prepend(n));
    }

    private void DropAllUses()
    {
        foreach (var node in Nodes)
        {
            foreach (var inner in node.Subgraphs)
                inner.DropAllUses();
            node.DropInputs();
        }
    }

    private void Link(Node node, Node? before)
    {
        var after = before is null ? Last : before.Previous;
        (node.Previous, node.Next) = (after, before);
        if (after is null)
            First = node;
        else
            after.Next = node;
        if (before is null)
            Last = node;
        else
            before.Previous = node;
        NodeCount++;
    }

    private void Unlink(Node node)
    {
        if (node.Previous is null)
            First = node.Next;
        else
            node.Previous.Next = node.Next;
        if (node.Next is null)
            Last = node.Previous;
        else
            node.Next.Previous = node.Previous;
        NodeCount--;
    }
}
