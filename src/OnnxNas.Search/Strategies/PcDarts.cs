using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// PC-DARTS (Xu et al. 2020): of C channels the first C/K are mixed, the others go past the candidates, then channels are shuffled; each edge of a node has a weight
/// softmax(β). The architecture is frozen in the first epochs. The derived network is the plain one, without bypass and weights.
/// <para>
/// A LayerChoice is bypassed where its candidates all start from one value of the shape of its output, of rank 3 or more, whose channels (axis 1) K divides; any other
/// is mixed as in <see cref="Darts"/>. The candidates of a marked model have C channels, so that all are computed all the same: what is gained is less of a bias towards candidates without weights. Edges are the LayerChoices that a tree of Add and Sum
/// adds up: nodes whose edges have the same labels share β. An InputChoice has edge weights already, its own α.
/// </para>
/// </summary>
[Strategy("pc-darts", "differentiable: a part of the channels is mixed, edges are weighted")]
public sealed class PcDarts : RelaxedTrainer, IStrategyDefaults
{
    private readonly Dictionary<string, Value> bypassed = [];
    private readonly Dictionary<string, EdgeGroup.Edge> edges;
    private readonly Dictionary<string, Value> replaced = [];

    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">A choice has no relaxation.</exception>
    public PcDarts(TrainingTask task) : base(task)
    {
        var model = Task.Space.Model.Clone();
        ShapeInference.Run(model, SupernetOperators.Registry);
        var inputs = new CommonInput(model.Graph, ZeroValues.All(model));
        var space = SearchSpace.Read(model);
        foreach (var marker in space.Choices.OfType<LayerChoice>().SelectMany(c => c.Nodes))
        {
            if (inputs.Of(marker) is { Shape: { Rank: >= 3 } shape } source && shape.Equals(marker.Output.Shape) && shape[1].ValueOrNull % Task.Options.ChannelParts == 0)
                bypassed[marker.Output.Name] = source;
        }

        edges = EdgeGroup.Of(space);
        Relax();
    }

    /// <summary>
    /// The paper's on CIFAR-10: a learning rate of 6e-4 for the architecture, which is frozen for 15 of 50 epochs, and the arg-max as the result. The supernet has trained a part of each
    /// candidate's channels beside a bypass, so that its weights tell little of a subnet, and ranking several by them does harm.
    /// </summary>
    public static SearchOptions Defaults(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { ArchLr = 6e-4, WarmupEpochs = 3 * options.Epochs / 10, Top = 1 };
    }

    /// <inheritdoc/>
    protected override Value Blend(LayerChoice choice, Node marker, Value weights)
    {
        ArgumentNullException.ThrowIfNull(marker);
        var name = marker.Output.Name;
        var mixed = base.Blend(choice, marker, weights);
        if (bypassed.TryGetValue(name, out var source))
            mixed = Bypass(marker, mixed, replaced.GetValueOrDefault(source.Name) ?? marker.Graph.Find(source.Name)!, source.Shape![1].Value);
        if (edges.TryGetValue(name, out var edge))
            mixed = Weigh(marker, mixed, edge);
        return replaced[name] = mixed;
    }

    // shuffle(concat(mixed[:, :C/K], source[:, C/K:])): channel k·C/K + i goes to i·K + k.
    private Value Bypass(Node marker, Value mixed, Value source, long channels)
    {
        var (graph, parts) = (marker.Graph, (long)Task.Options.ChannelParts);
        var width = channels / parts;
        Value Constant(params long[] numbers) => graph.AddConstant($"{marker.Output.Name}/range", TensorData.Vector<long>(numbers));
        // Before version 10 the range is in attributes.
        Value Slice(Value value, long from, long to) => Task.Space.Model.Opset < 10
            ? graph.Call("Slice", [value], attributes: [Attr.Of("starts", (IEnumerable<long>)[from]), Attr.Of("ends", (IEnumerable<long>)[to]), Attr.Of("axes", (IEnumerable<long>)[1])], before: marker)
            : graph.Call("Slice", [value, Constant(from), Constant(to), Constant(1)], before: marker);
        var joined = graph.Call("Concat", [Slice(mixed, 0, width), Slice(source, width, channels)], attributes: [Attr.Of("axis", 1L)], before: marker);
        var order = Constant([.. from i in Enumerable.Range(0, (int)width) from k in Enumerable.Range(0, (int)parts) select k * width + i]);
        return graph.Call("Gather", [joined, order], $"{marker.Output.Name}/shuffled", attributes: [Attr.Of("axis", 1L)], before: marker);
    }

    private Value Weigh(Node marker, Value mixed, EdgeGroup.Edge edge)
    {
        var graph = marker.Graph;
        var beta = Supernet.ArchitectureParameter($"beta/{edge.Group}", () => Numbers([edge.Count], InitialArchitecture(edge.Count)));
        var weights = graph.Call("Softmax", [beta], attributes: [Attr.Of("axis", 0L)], before: marker);
        var weight = graph.Call("Gather", [weights, graph.AddConstant($"{marker.Output.Name}/edge", TensorData.Scalar((long)edge.Index))], before: marker);
        return graph.Call("Mul", [mixed, weight], $"{marker.Output.Name}/weighted", before: marker);
    }
}
