using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Costs;

/// <summary>Connected nodes that live and die together, and what they compute as a model of its own; null bytes where nothing is left to compute.</summary>
internal sealed record Region(IReadOnlyList<Node> Nodes, byte[]? Model);

/// <summary>
/// Cuts a marked model into regions: the inner part of each candidate, what stands around the choices, and the joins of InputChoices that choose several.
/// What a region reads from outside becomes an input, with the shape it has for one sample of the data. Names and weights are made the same everywhere, so that
/// equal regions have equal bytes and training does not change them.
/// </summary>
internal sealed class Regions
{
    // As RandomInputs takes free extents other than the batch.
    private const long FreeExtent = 8;
    private readonly SearchSpace space;
    private readonly Liveness liveness;
    private readonly Model sized;

    public Regions(SearchSpace space, Liveness liveness, InputExtents extents)
    {
        (this.space, this.liveness) = (space, liveness);
        sized = space.Model.Clone();
        foreach (var input in sized.Graph.Inputs)
            input.Type = OfOneSample(input);
        extents.Declare(sized.Graph);
        ShapeInference.Run(sized, SupernetOperators.Registry);
    }

    /// <summary>The regions that some architecture needs.</summary>
    /// <exception cref="ShapeInferenceException">A shape is not known before running.</exception>
    public IEnumerable<Region> All()
    {
        foreach (var nodes in Components())
            yield return new(nodes, Extract(nodes));
        foreach (var choice in space.Choices.OfType<InputChoice>().Where(c => c.ChosenCount != 1 && c.Candidates.Count > 1))
        {
            foreach (var marker in choice.Nodes.Where(n => liveness.GroupOf(n) >= 0))
                yield return new([marker], Join(choice, marker));
        }
    }

    private static OnnxType? OfOneSample(Value input)
    {
        if (input.Type is not TensorType { Shape: { } shape } type)
            return input.Type;
        var batch = shape.Rank > 0 ? shape[0].Symbols().ToHashSet() : [];
        return new TensorType(type.Element, Shape.Of(shape.Select((d, axis) =>
            d.Evaluate(d.Symbols().ToDictionary(s => s, s => batch.Contains(s) ? 1 : FreeExtent)) ?? (axis == 0 ? 1 : FreeExtent))));
    }

    private IEnumerable<IReadOnlyList<Node>> Components()
    {
        var order = new Dictionary<Node, int>();
        var component = new Dictionary<Node, List<Node>>();
        foreach (var node in space.Model.Graph.Nodes.Where(n => !Markers.IsMarker(n) && liveness.GroupOf(n) >= 0))
        {
            order[node] = order.Count;
            var own = component[node] = [node];
            foreach (var maker in Graph.Reads(node).Select(v => v.Producer).OfType<Node>().Where(m => liveness.GroupOf(m) == liveness.GroupOf(node)))
            {
                if (!component.TryGetValue(maker, out var other) || ReferenceEquals(other, own))
                    continue;
                other.AddRange(own);
                foreach (var member in own)
                    component[member] = other;
                own = other;
            }
        }

        return component.Values.Distinct().Select(c => c.OrderBy(n => order[n]).ToList());
    }

    private byte[]? Extract(IReadOnlyList<Node> nodes)
    {
        var model = sized.Clone();
        var graph = model.Graph;
        Node[] mine = [.. nodes.Select(n => graph.Find(n.Outputs.First(o => o is not null)!.Name)!.Producer!)];
        var inside = mine.ToHashSet();
        var results = mine.SelectMany(n => n.Outputs).OfType<Value>().Where(v => v.IsOutput || v.Uses.Any(u => !inside.Contains(Within(u.Node, graph)))).ToList();
        while (graph.Outputs.Count > 0)
            graph.RemoveOutput(0);
        foreach (var read in mine.SelectMany(Graph.Reads).Where(v => v.Graph == graph && v.Producer is { } maker && !inside.Contains(maker)).Distinct().ToList())
            graph.ReplaceAllUses(read, graph.AddInput(graph.FreshName("given"), Known(read)));
        foreach (var result in results)
            graph.AddOutput(result);
        new RemoveDeadNodes().Run(model);
        foreach (var unread in graph.Inputs.Where(i => !i.IsUsed).ToList())
            graph.RemoveInput(unread);
        Neutralize(model);
        Pruner.Finish(model);
        return graph.Nodes.All(n => n.OpType is "Identity" or "Constant") ? null : Anonymous(model);
    }

    private byte[] Join(InputChoice choice, Node marker)
    {
        var graph = new Graph("region");
        var count = choice.ChosenCount == 0 ? choice.Candidates.Count : choice.ChosenCount;
        var inputs = marker.Inputs.Take(count).Select((v, i) => graph.AddInput($"i{i}", Known(sized.Graph.Find(v!.Name)!))).ToList();
        var joined = ChoiceRewriter.Join(choice, graph, inputs, "joined");
        joined.Type = new TensorType(inputs[0].Element, null);
        graph.AddOutput(joined);
        var model = new Model(graph) { IrVersion = space.Model.IrVersion };
        model.OpsetImports[""] = space.Model.Opset;
        ShapeInference.Run(model, SupernetOperators.Registry);
        return OnnxFile.ToWholeBytes(model);
    }

    private static Node Within(Node node, Graph graph)
    {
        if (node.Graph == graph)
            return node;
        return graph.Nodes.First(n => n.Subgraphs.Any(g => Holds(g, node)));

        static bool Holds(Graph graph, Node node) => node.Graph == graph || graph.Nodes.Any(n => n.Subgraphs.Any(g => Holds(g, node)));
    }

    private static TensorType Known(Value value) => value.Type is TensorType { Shape.IsKnown: true } type
        ? new TensorType(type.Element, type.Shape)
        : throw new ShapeInferenceException(
            $"The latency of candidates cannot be measured: value '{value.Name}' has the type {value.Type?.ToString() ?? "unknown"} for one sample, and a shape of numbers is needed. " +
            "Export the model with known extents, or use --cost macs.");

    // How long a run takes does not depend on the weights, but for numbers too small to be normal.
    private static void Neutralize(Model model)
    {
        var opsets = model.OpsetVersions();
        List<Value?> weights = [.. model.Graph.Initializers.Where(v => v.Trains == true)];
        foreach (var node in model.Graph.Nodes.Where(n => SupernetOperators.Registry.WhyUnsupported(n, opsets) is null))
        {
            var bound = SupernetOperators.Registry.Bind(node, opsets);
            weights.AddRange(bound.Buffers.Select(b => node.Input(b.Input)));
        }

        foreach (var weight in weights)
        {
            if (weight is { Initializer: { Type: ElementType.Float32 } data })
                model.Graph.SetInitializer(weight, TensorData.Create<float>(data.Dims, [.. Enumerable.Range(0, (int)data.ElementCount).Select(i => 0.01f * (1 + i % 7))]));
        }
    }

    private static byte[] Anonymous(Model model)
    {
        var graph = model.Graph;
        var number = 0;
        foreach (var value in graph.Inputs.Concat(graph.Nodes.SelectMany(n => n.Inputs.Concat(n.Outputs)).OfType<Value>()).Where(v => v.Graph == graph).Distinct().ToList())
        {
            value.Metadata.Clear();
            value.DocString = null;
            graph.Rename(value, graph.FreshName($"region/{number++}"));
        }

        foreach (var node in graph.Nodes)
        {
            (node.Name, node.DocString) = ("", null);
            node.Metadata.Clear();
        }

        graph.Name = "region";
        graph.DocString = null;
        graph.Metadata.Clear();
        var anonymous = new Model(graph) { IrVersion = model.IrVersion };
        foreach (var (domain, version) in model.OpsetImports.Where(o => o.Key != Markers.Domain))
            anonymous.OpsetImports[domain] = version;
        foreach (var function in model.Functions)
            anonymous.Functions.Add(function);
        return OnnxFile.ToWholeBytes(anonymous);
    }
}
