using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Writes graphs and function bodies.</summary>
internal sealed class GraphWriter
{
    private readonly TensorWriter tensors;
    private readonly AttributeWriter attributes;

    public GraphWriter(ExternalLayout? layout, Func<TensorData, bool>? embeds = null)
    {
        tensors = new(layout, embeds);
        attributes = new(tensors, Write);
    }

    public GraphProto Write(Graph graph)
    {
        var proto = Shell(graph);
        var foreign = new Queue<ValueInfoProto>(proto.Output);
        proto.Input.Clear();
        proto.Output.Clear();
        proto.ValueInfo.Clear();
        proto.ValueInfo.AddRange(ValueInfos(graph, isBody: false));
        proto.Node.AddRange(graph.Nodes.Select(Write));
        proto.Initializer.AddRange(graph.Initializers.Select(value => tensors.Write(value.Initializer!, value.Name)));
        proto.SparseInitializer.AddRange(graph.SparseInitializers.Select(tensors.Write));
        proto.QuantizationAnnotation.AddRange(graph.QuantizationAnnotations.Select(Write));
        proto.Input.AddRange(graph.Inputs.Select(value => ValueListing.Write(value, (value.Residue as GraphProto)?.Input.FirstOrDefault())));
        var written = new Dictionary<Value, int>();
        foreach (var value in graph.Outputs)
        {
            if (value.Graph == graph)
                proto.Output.Add(ValueListing.Write(value, Spelled(written, value, listings => listings.Output)));
            else
                proto.Output.Add(foreign.TryPeek(out var info) && info.Name == value.Name ? foreign.Dequeue() : ValueListing.Write(value, null));
        }

        return proto;
    }

    /// <summary>Fills the formal inputs, outputs, nodes and value infos of a function.</summary>
    public void WriteBody(Graph body, FunctionProto proto)
    {
        proto.Input.AddRange(body.Inputs.Select(value => value.Name));
        proto.Output.AddRange(body.Outputs.Select(value => value.Name));
        // A function has no initializers, so constants that a pass left in the body become nodes.
        foreach (var value in body.Initializers)
        {
            var constant = new NodeProto { OpType = "Constant" };
            constant.Output.Add(value.Name);
            constant.Attribute.Add(attributes.Write(Attr.Of("value", value.Initializer!)));
            proto.Node.Add(constant);
        }

        proto.Node.AddRange(body.Nodes.Select(Write));
        proto.ValueInfo.AddRange(ValueInfos(body, isBody: true));
    }

    public NodeProto Write(Node node)
    {
        var proto = Shell(node);
        proto.Input.AddRange(node.Inputs.Select(value => value?.Name ?? ""));
        proto.Output.AddRange(node.Outputs.Select(value => value?.Name ?? ""));
        proto.Attribute.AddRange(node.Attributes.Values.Select(attributes.Write));
        return proto;
    }

    public AttributeProto Write(Attr attribute) => attributes.Write(attribute);

    public static TensorAnnotation Write(QuantizationAnnotation annotation)
    {
        var proto = Residues.Start<TensorAnnotation>(annotation.Residue);
        if (!proto.QuantParameterTensorNames.Select(entry => KeyValuePair.Create(entry.Key, entry.Value)).SequenceEqual(annotation.Parameters))
        {
            proto.QuantParameterTensorNames.Clear();
            proto.QuantParameterTensorNames.AddRange(annotation.Parameters.Select(p => new StringStringEntryProto { Key = p.Key, Value = p.Value }));
        }

        Residues.Set(annotation.TensorName, text => proto.TensorName = text, proto.ClearTensorName);
        return proto;
    }

    /// <summary>The message without nodes, values and tensors.</summary>
    public static GraphProto Shell(Graph graph)
    {
        var proto = Residues.Start<GraphProto>(graph.Residue);
        if (proto.Name != graph.Name)
            proto.Name = graph.Name;
        Residues.Set(graph.DocString, text => proto.DocString = text, proto.ClearDocString);
        Entries.Write(graph.Metadata, proto.MetadataProps);
        return proto;
    }

    /// <summary>The message without inputs, outputs and attributes.</summary>
    public static NodeProto Shell(Node node)
    {
        var proto = Residues.Start<NodeProto>(node.Residue);
        if (proto.Name != node.Name)
            proto.Name = node.Name;
        if (proto.OpType != node.OpType)
            proto.OpType = node.OpType;
        if (Entries.Domain(proto.Domain) != node.Domain)
            proto.Domain = node.Domain;
        if (proto.Overload != node.Overload)
            proto.Overload = node.Overload;
        Residues.Set(node.DocString, text => proto.DocString = text, proto.ClearDocString);
        Entries.Write(node.Metadata, proto.MetadataProps);
        return proto;
    }

    /// <summary>
    /// The values that get a value info unless the file had it otherwise: those with a type or text that are listed
    /// nowhere else. (Inputs and outputs of a function are bare names, so theirs stand among the value infos.)
    /// </summary>
    public static IEnumerable<Value> ListedByDefault(Graph graph, bool isBody)
    {
        HashSet<Value> elsewhere = isBody ? [] : [.. graph.Inputs, .. graph.Outputs];
        return graph.Values.Where(value =>
            value.Initializer is null && !elsewhere.Contains(value) && (value.Type is not null || value.DocString is not null || value.Metadata.Count > 0));
    }

    private static IEnumerable<ValueInfoProto> ValueInfos(Graph graph, bool isBody)
    {
        var kept = graph.Residue as GraphProto;
        var written = new Dictionary<Value, int>();
        var foreign = new Queue<ValueInfoProto>(kept?.ValueInfo ?? []);
        foreach (var listed in kept?.Input ?? [])
        {
            if (graph.Find(listed.Name) is { } value)
                yield return Info(value);
            if (foreign.TryPeek(out var next) && next.Name == listed.Name && foreign.Dequeue() is { } info && graph.Find(info.Name) is null)
                yield return info;
        }

        var byDefault = ListedByDefault(graph, isBody).ToHashSet();
        foreach (var value in graph.Values)
        {
            var times = Math.Max((value.Residue as GraphProto)?.ValueInfo.Count ?? 0, byDefault.Contains(value) ? 1 : 0);
            while (written.GetValueOrDefault(value) < times)
                yield return Info(value);
        }

        ValueInfoProto Info(Value value) => ValueListing.Write(value, Spelled(written, value, listings => listings.ValueInfo));
    }

    // A value may be listed more than once: each time has its own spelling.
    private static ValueInfoProto? Spelled(Dictionary<Value, int> written, Value value, Func<GraphProto, RepeatedField<ValueInfoProto>> list)
    {
        var before = written.GetValueOrDefault(value);
        written[value] = before + 1;
        return value.Residue is GraphProto listings ? list(listings).ElementAtOrDefault(before) : null;
    }
}
