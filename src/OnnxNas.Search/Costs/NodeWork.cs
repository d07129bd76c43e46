using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Costs;

/// <summary>The multiply-accumulate operations of nodes, those of their bodies included: a body counts as often as it runs, and of two branches the dearer one.</summary>
internal sealed class NodeWork
{
    private readonly Model model;
    private readonly IReadOnlyDictionary<string, int> opsets;
    private readonly InferenceResult types;
    private readonly Dictionary<string, string> assumed = [];
    private readonly List<string> uncounted = [];

    /// <summary>Looks at a copy of a model whose inputs have these extents.</summary>
    public NodeWork(Model source, InputExtents extents)
    {
        (model, opsets) = (source.Clone(), source.OpsetVersions());
        extents.Declare(model.Graph);
        types = Infer();
    }

    /// <summary>The work of each node of the main graph, in order.</summary>
    public IEnumerable<long> All() => model.Graph.Nodes.Select(Of);

    /// <summary>What is not known before running, and how it counts.</summary>
    public IReadOnlyCollection<string> Assumed => assumed.Values;

    /// <summary>Nodes whose work is not known, or more than 64 bits can count; they count nothing.</summary>
    public string[] Uncounted => [.. uncounted];

    private long Of(Node node)
    {
        try
        {
            return Count(node);
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            uncounted.Add(node.Label);
            return 0;
        }
    }

    private long Count(Node node)
    {
        if (!types.Knows(node) || SupernetOperators.Registry.WhyUnsupported(node, opsets) is not null)
            return 0;
        var bound = SupernetOperators.Registry.Bind(node, opsets);
        var counted = bound.MultiplyAccumulates(types.Context(node), types.Outputs(node));
        if (counted is { IsUnknown: true })
            uncounted.Add(node.Label);
        var own = AtOne(counted) ?? 0;
        if (bound is not ControlFlowOperator flow)
            return Math.Max(0, own);
        var bodies = node.Subgraphs.Select(g => g.Nodes.Sum(Of)).DefaultIfEmpty(0).ToList();
        var work = flow.TakesOneBody ? bodies.Max() : bodies.Sum();
        if (work == 0)
            return 0;
        if (AtOne(flow.Repetitions(types.Context(node))) is { } times)
            return checked(Math.Max(0, times) * work);
        assumed[node.Label] = $"'{node.Label}' ({node.OpType}) counts as one repetition: how many there are is not known before it runs.";
        return work;
    }

    // What is carried from one repetition to the next is taken to keep the extents that it starts with.
    private InferenceResult Infer()
    {
        var result = ShapeInference.Run(model, SupernetOperators.Registry);
        if (!Start(model.Graph, result))
            return result;
        try
        {
            return ShapeInference.Run(model, SupernetOperators.Registry);
        }
        catch (ShapeInferenceException)
        {
            return result;
        }
    }

    private bool Start(Graph graph, InferenceResult result)
    {
        var changed = false;
        foreach (var node in graph.Nodes.Where(n => n.Subgraphs.Any() && SupernetOperators.Registry.WhyUnsupported(n, opsets) is null))
        {
            var flow = SupernetOperators.Registry.Bind(node, opsets) as ControlFlowOperator;
            foreach (var body in node.Subgraphs)
            {
                var known = flow?.BodyInputs(result.Context(node), body) ?? [];
                for (var i = 0; i < body.Inputs.Count; i++)
                {
                    var start = flow?.StartOf(i) is { } carried ? node.Input(carried)?.Type : known.ElementAtOrDefault(i);
                    if (body.Inputs[i].Shape is not null || start is not TensorType { Shape: not null } type)
                        continue;
                    body.Inputs[i].Type = type;
                    changed = true;
                }

                changed |= Start(body, result);
            }
        }

        return changed;
    }

    private static long? AtOne(Dim? amount) => amount?.Evaluate(amount.Symbols().ToDictionary(s => s, _ => 1L));
}
