namespace OnnxNas.Ir;

/// <summary>Deep copies of graphs and models. Constants are shared, since they are immutable.</summary>
public static class Cloning
{
    /// <summary>A copy that can be edited without touching the source.</summary>
    public static Model Clone(this Model source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var copy = new Model(source.Graph.Clone())
        {
            IrVersion = source.IrVersion,
            ProducerName = source.ProducerName,
            ProducerVersion = source.ProducerVersion,
            Domain = source.Domain,
            ModelVersion = source.ModelVersion,
            DocString = source.DocString,
            Path = source.Path,
            Findings = source.Findings,
            Residue = source.Residue,
        };
        CopyAll(source.OpsetImports, copy.OpsetImports);
        CopyAll(source.Metadata, copy.Metadata);
        foreach (var function in source.Functions)
            copy.Functions.Add(function.Clone());
        return copy;
    }

    /// <summary>A copy that can be edited without touching the source.</summary>
    public static Function Clone(this Function source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var copy = new Function(source.Domain, source.Name, source.Body.Clone())
        {
            Overload = source.Overload,
            DocString = source.DocString,
            Residue = source.Residue,
        };
        foreach (var name in source.AttributeNames)
            copy.AttributeNames.Add(name);
        foreach (var attribute in source.AttributeDefaults)
            copy.AttributeDefaults.Add(attribute);
        CopyAll(source.OpsetImports, copy.OpsetImports);
        CopyAll(source.Metadata, copy.Metadata);
        return copy;
    }

    /// <summary>A copy that can be edited without touching the source. Values of graphs around a subgraph are shared.</summary>
    public static Graph Clone(this Graph source) => Clone(source, source.Outer, []);

    private static Graph Clone(Graph source, Graph? outer, Dictionary<Value, Value> map)
    {
        var copy = new Graph(source.Name, outer) { DocString = source.DocString, Residue = source.Residue };
        CopyAll(source.Metadata, copy.Metadata);
        foreach (var value in source.Values)
        {
            var twin = copy.AddValue(value.Name, value.Type);
            (twin.DocString, twin.Residue, twin.Trains) = (value.DocString, value.Residue, value.Trains);
            CopyAll(value.Metadata, twin.Metadata);
            map[value] = twin;
        }

        foreach (var input in source.Inputs)
            copy.AddInput(input.Name);
        foreach (var initializer in source.Initializers)
            copy.SetInitializer(map[initializer], initializer.Initializer!);
        foreach (var node in source.Nodes)
        {
            var twin = copy.AddNode(node.OpType, node.Inputs.Select(Twin), node.Outputs.Select(Twin), node.Domain, name: node.Name);
            (twin.Overload, twin.DocString, twin.Residue) = (node.Overload, node.DocString, node.Residue);
            CopyAll(node.Metadata, twin.Metadata);
            foreach (var attribute in node.Attributes.Values)
                twin.SetAttribute(Clone(attribute, copy, map));
        }

        foreach (var output in source.Outputs)
            copy.AddOutput(Twin(output)!);
        foreach (var sparse in source.SparseInitializers)
            copy.SparseInitializers.Add(sparse);
        foreach (var annotation in source.QuantizationAnnotations)
            copy.QuantizationAnnotations.Add(annotation);
        return copy;

        Value? Twin(Value? value) => value is null ? null : map.GetValueOrDefault(value, value);
    }

    private static Attr Clone(Attr attribute, Graph outer, Dictionary<Value, Value> map) => attribute.Kind switch
    {
        AttrKind.Graph when attribute.RefAttrName is null =>
            Attr.Of(attribute.Name, Clone(attribute.AsGraph(), outer, map)).WithResidue(attribute.Residue),
        AttrKind.Graphs when attribute.RefAttrName is null =>
            Attr.Of(attribute.Name, attribute.AsGraphs().Select(g => Clone(g, outer, map)).ToArray()).WithResidue(attribute.Residue),
        _ => attribute,
    };

    private static void CopyAll<TValue>(IDictionary<string, TValue> source, IDictionary<string, TValue> target)
    {
        foreach (var (key, value) in source)
            target[key] = value;
    }
}
