using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// Reads graphs and function bodies: declares values in execution order, so that a node can only read what stands before it.
/// The messages are used up; what is left of them becomes residue.
/// </summary>
internal sealed class GraphReader
{
    private readonly TensorReader tensors;
    private readonly AttributeReader attributes;
    private readonly IDictionary<string, long> opsets;
    private readonly IReadOnlySet<FunctionId> functions;
    private readonly List<string> early;
    private Graph? current;

    /// <summary>A reader. It adds to <paramref name="early"/> the nodes that stood before one they read from.</summary>
    public GraphReader(TensorReader tensors, IDictionary<string, long> opsets, IReadOnlySet<FunctionId> functions, List<string> early)
    {
        (this.tensors, this.opsets, this.functions, this.early) = (tensors, opsets, functions, early);
        attributes = new(tensors, (proto, where) => Read(proto, where));
    }

    /// <summary>Reads a graph; a subgraph where a node of another graph is being read.</summary>
    public Graph Read(GraphProto proto, string where = "The model")
    {
        var graph = new Graph(proto.Name, current) { DocString = proto.HasDocString ? proto.DocString : null };
        Entries.Read(proto.MetadataProps, graph.Metadata);
        var listings = new Dictionary<Value, GraphProto>();
        foreach (var input in proto.Input)
            Listing(listings, Declare(graph, input.Name, $"an input of {where}", isInput: true)).Input.Add(input);
        foreach (var initializer in proto.Initializer)
            ReadInitializer(graph, initializer);
        foreach (var sparse in proto.SparseInitializer)
            ReadSparseInitializer(graph, sparse);
        ReadNodes(graph, proto.Node);
        foreach (var annotation in proto.QuantizationAnnotation)
            graph.QuantizationAnnotations.Add(ReadAnnotation(annotation));
        var foreignOutputs = ReadOutputs(graph, proto.Output, listings);
        proto.Node.Clear();
        proto.Initializer.Clear();
        proto.SparseInitializer.Clear();
        proto.QuantizationAnnotation.Clear();
        proto.Input.Clear();
        proto.Output.Clear();
        proto.Output.AddRange(foreignOutputs);
        ReadValueInfos(graph, proto, proto.ValueInfo, listings, isBody: false);
        graph.Residue = Residues.Of(proto, GraphWriter.Shell(graph));
        return graph;
    }

    /// <summary>Reads the body of a function.</summary>
    public Graph ReadBody(FunctionProto proto, string where)
    {
        var body = new Graph(proto.Name);
        foreach (var input in proto.Input)
            Declare(body, input, $"an input of {where}", isInput: true);
        ReadNodes(body, proto.Node);
        foreach (var name in proto.Output)
            body.AddOutput(body.Find(name) ?? throw new ModelFormatException($"{where} returns '{name}', which nothing in it defines. Add its maker, or drop the output."));
        var residue = new GraphProto();
        ReadValueInfos(body, residue, proto.ValueInfo, [], isBody: true);
        body.Residue = residue.CalculateSize() == 0 ? null : residue;
        return body;
    }

    /// <summary>Reads an attribute that stands outside nodes.</summary>
    public Attr ReadAttribute(AttributeProto proto, string owner) => attributes.Read(proto, owner);

    private static GraphProto Listing(Dictionary<Value, GraphProto> listings, Value value)
    {
        if (!listings.TryGetValue(value, out var listing))
            listings[value] = listing = new();
        return listing;
    }

    private static Value Declare(Graph graph, string name, string what, bool isInput = false)
    {
        if (name.Length == 0)
            throw new ModelFormatException($"Graph '{graph.Name}': {what} has no name.");
        if (graph.Find(name) is { } other)
            throw new ModelFormatException($"Graph '{graph.Name}' defines '{name}' twice: as {What(other)} and as {what}. Every name must be defined once.");
        return isInput ? graph.AddInput(name) : graph.AddValue(name);
    }

    private static string What(Value value) =>
        value.Producer is { } maker ? $"an output of {maker}" : value.Initializer is not null ? "an initializer" : "an input or sparse initializer";

    private static List<ValueInfoProto> ReadOutputs(Graph graph, RepeatedField<ValueInfoProto> outputs, Dictionary<Value, GraphProto> listings)
    {
        var foreign = new List<ValueInfoProto>();
        foreach (var output in outputs)
        {
            var value = graph.Resolve(output.Name)
                ?? throw new ModelFormatException($"Graph '{graph.Name}' returns '{output.Name}', which nothing defines. Add its maker, or drop the output.");
            graph.AddOutput(value);
            if (value.Graph == graph)
                Listing(listings, value).Output.Add(output);
            else
                foreign.Add(output);
        }

        return foreign;
    }

    // Infos of values that are not of this graph stay in the residue; so does the order of all, as bare inputs, where it is not the writer's.
    private static void ReadValueInfos(Graph graph, GraphProto residue, RepeatedField<ValueInfoProto> source, Dictionary<Value, GraphProto> listings, bool isBody)
    {
        var infos = source.ToArray();
        residue.ValueInfo.Clear();
        foreach (var info in infos)
        {
            if (graph.Find(info.Name) is { } value)
                Listing(listings, value).ValueInfo.Add(info);
            else
                residue.ValueInfo.Add(info);
        }

        foreach (var (value, listing) in listings)
            ValueListing.Apply(listing, value);
        var byDefault = GraphWriter.ListedByDefault(graph, isBody).ToHashSet();
        foreach (var (value, listing) in listings)
        {
            if (listing.ValueInfo.Count != (byDefault.Contains(value) ? 1 : 0))
                value.Residue = listing;
        }

        var listed = infos.Select(info => info.Name).ToArray();
        if (!listed.SequenceEqual(graph.Values.Where(byDefault.Contains).Select(value => value.Name)))
            residue.Input.AddRange(listed.Select(name => new ValueInfoProto { Name = name }));
    }

    private static QuantizationAnnotation ReadAnnotation(TensorAnnotation proto)
    {
        var annotation = new QuantizationAnnotation(
            proto.HasTensorName ? proto.TensorName : null,
            [.. proto.QuantParameterTensorNames.Select(entry => KeyValuePair.Create(entry.Key, entry.Value))]);
        return annotation with { Residue = Residues.Of(proto, GraphWriter.Write(annotation)) };
    }

    private void ReadInitializer(Graph graph, TensorProto proto)
    {
        var name = proto.Name;
        var value = graph.Find(name) is { Initializer: null } input ? input : Declare(graph, name, "an initializer");
        graph.SetInitializer(value, tensors.Read(proto, $"Initializer '{name}'", named: true));
    }

    private void ReadSparseInitializer(Graph graph, SparseTensorProto proto)
    {
        var sparse = tensors.ReadSparse(proto, $"Sparse initializer '{proto.Values?.Name}'");
        if (graph.Find(sparse.Name ?? "") is not { Initializer: null, IsInput: true })
            Declare(graph, sparse.Name ?? "", "a sparse initializer");
        graph.SparseInitializers.Add(sparse);
    }

    private void ReadNodes(Graph graph, RepeatedField<NodeProto> nodes)
    {
        var outer = current;
        current = graph;
        var (ordered, misplaced) = NodeOrder.Of(nodes, name => graph.Resolve(name) is not null, graph.Name);
        early.AddRange(misplaced.Select(NodeOrder.Label));
        foreach (var proto in ordered)
            ReadNode(graph, proto);
        current = outer;
    }

    private void ReadNode(Graph graph, NodeProto proto)
    {
        var domain = Entries.Domain(proto.Domain);
        var where = NodeOrder.Show(proto);
        if (proto.OpType.Length == 0)
            throw new ModelFormatException($"Graph '{graph.Name}': {where} has no operator type.");
        if (!opsets.ContainsKey(domain) && !functions.Contains(new(domain, proto.OpType, proto.Overload)))
            throw new ModelFormatException($"Node {where} is of domain '{Entries.Show(domain)}', which no opset_import names. Add the import.");
        var inputs = proto.Input.Select(name => name.Length == 0 ? null : graph.Resolve(name)
            ?? throw new ModelFormatException($"Node {where} in graph '{graph.Name}' reads '{name}', which nothing defines. Add its maker, or make it an input.")).ToArray();
        var attrs = new OrderedDictionary<string, Attr>(proto.Attribute.Count);
        foreach (var attribute in proto.Attribute)
        {
            if (!attrs.TryAdd(attribute.Name, attributes.Read(attribute, $"node {where}")))
                throw new ModelFormatException($"Node {where} has attribute '{attribute.Name}' twice. Keep one.");
        }

        var outputs = proto.Output.Select(name => name.Length == 0 ? null : Declare(graph, name, $"an output of {where}")).ToArray();
        var node = graph.AddNode(proto.OpType, inputs, outputs, domain, attrs.Values, proto.Name);
        (node.Overload, node.DocString) = (proto.Overload, proto.HasDocString ? proto.DocString : null);
        Entries.Read(proto.MetadataProps, node.Metadata);
        proto.Input.Clear();
        proto.Output.Clear();
        proto.Attribute.Clear();
        node.Residue = Residues.Of(proto, GraphWriter.Shell(node));
    }
}
