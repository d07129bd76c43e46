namespace OnnxNas.Ir.Passes;

/// <summary>Puts the nodes of function bodies in the place of calls.</summary>
internal sealed class FunctionExpansion
{
    // Names grow with each level of calls; the inner part tells more.
    private const int LongestPrefix = 200;

    private readonly IReadOnlyDictionary<(string Domain, string Name, string Overload), Function> functions;
    private readonly HashSet<string> names;
    private readonly Dictionary<string, int> numbers = [];

    /// <summary>An expansion into graphs whose values have the given names.</summary>
    public FunctionExpansion(IReadOnlyDictionary<(string Domain, string Name, string Overload), Function> functions, IEnumerable<string> names)
    {
        this.functions = functions;
        this.names = [.. names];
    }

    /// <summary>Domain and name of a function, as errors show it.</summary>
    public static string Show(Function function) =>
        $"{(function.Domain.Length == 0 ? "ai.onnx" : function.Domain)}::{function.Name}{(function.Overload.Length == 0 ? "" : $":{function.Overload}")}";

    /// <summary>Expands the calls among nodes of one graph, and those that come of it.</summary>
    public void Expand(IEnumerable<Node> nodes)
    {
        foreach (var node in nodes)
        {
            if (functions.TryGetValue((node.Domain, node.OpType, node.Overload), out var function))
                Expand(node, function);
        }
    }

    private void Expand(Node call, Function function)
    {
        Require(call, function);
        var scope = new Scope(this, Prefix(call), Attributes(call, function));
        var body = function.Body;
        for (var i = 0; i < body.Inputs.Count; i++)
            scope.Map[body.Inputs[i]] = call.Input(i);
        var (graph, outputs) = (call.Graph, call.Outputs.ToArray());
        var before = graph.Detach(call);
        var copies = new List<(Value Source, Value Target)>();
        for (var i = 0; i < outputs.Length; i++)
        {
            // What the body hands through, or hands out twice, has a maker already.
            if (outputs[i] is { } output && (body.Outputs[i].Producer is null || !scope.Map.TryAdd(body.Outputs[i], output)))
                copies.Add((body.Outputs[i], output));
        }

        var added = body.Nodes.Select(n => scope.Copy(n, graph, before)).ToList();
        foreach (var (source, target) in copies)
        {
            var value = scope.Map[source] ?? throw new ModelFormatException($"{call}: function {Show(function)} returns its input '{source.Name}', which the call leaves out. Give it.");
            added.Add(graph.AddNode("Identity", [value], [target], name: target.Name, before: before));
        }

        foreach (var node in added)
        {
            foreach (var inner in node.Subgraphs)
                ExpandWithin(inner);
        }

        Expand(added);
    }

    private void ExpandWithin(Graph graph)
    {
        foreach (var inner in graph.Nodes.SelectMany(n => n.Subgraphs))
            ExpandWithin(inner);
        Expand(graph.Nodes);
    }

    private static void Require(Node call, Function function)
    {
        var (inputs, outputs) = (function.Body.Inputs.Count, function.Body.Outputs.Count);
        if (call.Inputs.Count > inputs || call.Outputs.Count > outputs)
        {
            throw new ModelFormatException($"{call} has {call.Inputs.Count} inputs and {call.Outputs.Count} outputs; " +
                $"function {Show(function)} has {inputs} and {outputs}. Drop what is too much.");
        }
    }

    private static Dictionary<string, Attr> Attributes(Node call, Function function)
    {
        var attributes = function.AttributeDefaults.ToDictionary(a => a.Name);
        foreach (var (name, attribute) in call.Attributes)
            attributes[name] = attribute;
        return attributes;
    }

    private static string Prefix(Node call)
    {
        var name = call.Label;
        return name.Length <= LongestPrefix ? name : name[^LongestPrefix..];
    }

    private string Fresh(string name)
    {
        var fresh = name;
        while (!names.Add(fresh))
            fresh = $"{name}_{numbers[name] = numbers.GetValueOrDefault(name) + 1}";
        return fresh;
    }

    /// <summary>One call: what stands for the values and attributes of the body. Null stands for an input that the call leaves out.</summary>
    private sealed class Scope(FunctionExpansion expansion, string prefix, Dictionary<string, Attr> attributes)
    {
        public Dictionary<Value, Value?> Map { get; } = [];

        public Node Copy(Node node, Graph target, Node? before)
        {
            var outputs = node.Outputs.Select(o => o is null ? null : Twin(o, target)).ToArray();
            var name = node.Name.Length > 0 ? $"{prefix}/{node.Name}" : "";
            var copy = target.AddNode(node.OpType, node.Inputs.Select(Find), outputs, node.Domain, name: name, before: before);
            (copy.Overload, copy.DocString, copy.Residue) = (node.Overload, node.DocString, node.Residue);
            foreach (var (key, value) in node.Metadata)
                copy.Metadata[key] = value;
            foreach (var attribute in node.Attributes.Values)
            {
                if (Resolve(attribute, node) is { } given)
                    copy.SetAttribute(Copy(given, target));
            }

            return copy;
        }

        private Value? Find(Value? value) => value is null ? null : Map[value];

        private Value Twin(Value value, Graph target)
        {
            if (Map.TryGetValue(value, out var twin))
                return twin!;
            // Extents that a body names are not those of the model.
            var added = target.AddValue(expansion.Fresh($"{prefix}/{value.Name}"), value.Type is TensorType type ? new TensorType(type.Element) : value.Type);
            Map[value] = added;
            return added;
        }

        private Attr? Resolve(Attr attribute, Node node)
        {
            if (attribute.RefAttrName is not { } name)
                return attribute;
            if (attributes.GetValueOrDefault(name) is not { } given)
                return null;
            if (given.Kind is AttrKind.Graph or AttrKind.Graphs)
                throw new UnsupportedOperatorException($"{node} in the function called as '{prefix}' takes a graph from the call, which is not supported. Write the graph into the function.");
            return given.Kind == attribute.Kind ? given.Named(attribute.Name)
                : throw new ModelFormatException($"{node} in the function called as '{prefix}' takes attribute '{name}' as {attribute.Kind}, and the call gives {given.Kind}.");
        }

        private Attr Copy(Attr attribute, Graph outer) => attribute.Kind switch
        {
            AttrKind.Graph => Attr.Of(attribute.Name, Copy(attribute.AsGraph(), outer)).WithResidue(attribute.Residue),
            AttrKind.Graphs => Attr.Of(attribute.Name, attribute.AsGraphs().Select(g => Copy(g, outer)).ToArray()).WithResidue(attribute.Residue),
            _ => attribute,
        };

        private Graph Copy(Graph source, Graph outer)
        {
            var copy = new Graph(source.Name, outer) { DocString = source.DocString };
            foreach (var input in source.Inputs)
                copy.AddInput(Twin(input, copy).Name);
            foreach (var initializer in source.Initializers)
                copy.SetInitializer(Twin(initializer, copy), initializer.Initializer!);
            if (source.SparseInitializers.Count > 0)
                throw new UnsupportedOperatorException($"Graph '{source.Name}' in the function called as '{prefix}' has a sparse initializer, which is not supported.");
            foreach (var node in source.Nodes)
                Copy(node, copy, null);
            foreach (var output in source.Outputs)
                copy.AddOutput(Find(output) ?? throw new ModelFormatException($"Graph '{source.Name}' in the function called as '{prefix}' returns '{output.Name}', which the call leaves out."));
            return copy;
        }
    }
}
