using System.Globalization;
using OnnxNas.Ir;

namespace OnnxNas.Search.Choices;

/// <summary>Reads markers into choices, and checks each marker and the agreement of those that share a label.</summary>
internal sealed class SearchSpaceReader(Model model)
{
    private const int MostAxes = int.MaxValue;

    private readonly OrderedDictionary<string, Choice> choices = [];

    public SearchSpace Read()
    {
        RequireNoneInside(model.Functions.Where(f => f.Domain != Markers.Domain).Select(f => (f.Body, $"function {f.Domain}::{f.Name}")));
        foreach (var node in model.Graph.Nodes)
        {
            RequireNoneInside(node.Subgraphs.Select(g => (g, $"a subgraph of {node}")));
            if (Markers.IsMarker(node))
                Add(node);
        }

        return new SearchSpace(model, [.. choices.Values]);
    }

    /// <summary>What one marker says, as a choice that knows no nodes yet.</summary>
    /// <exception cref="ChoiceException">The marker is malformed.</exception>
    public static Choice ReadMarker(Node node)
    {
        if (node.Outputs.Count != 1 || node.Outputs[0] is null)
            throw Error(node, "a choice has exactly one output.");
        if (node.Inputs.Count == 0 || node.Inputs.Any(i => i is null))
            throw Error(node, $"a choice needs at least one candidate and none may be empty, got {node.Inputs.Count} inputs.");
        var label = node.Attribute("label")?.AsString();
        if (string.IsNullOrEmpty(label))
            throw Error(node, "attribute 'label' is missing or empty; give every choice a label.");
        return node.OpType switch
        {
            Markers.LayerChoice => ReadLayerChoice(node, label),
            Markers.InputChoice => ReadInputChoice(node, label),
            _ => throw Error(node, $"{Markers.Domain} has the operators {Markers.LayerChoice} and {Markers.InputChoice} only."),
        };
    }

    private void Add(Node node)
    {
        var read = ReadMarker(node);
        var label = read.Label;
        if (!choices.TryGetValue(label, out var known))
            choices[label] = known = read;
        else if (Difference(known, read) is { } difference)
            throw new ChoiceException($"{known.Nodes[0]} and {node} share label '{label}' but differ in {difference}. One label is one decision: make them agree, or rename one.");
        known.Sites.Add(node);
    }

    private static LayerChoice ReadLayerChoice(Node node, string label)
    {
        RequireOnly(node, "label", "candidates", "prior");
        var count = node.Inputs.Count;
        var names = node.Attribute("candidates")?.AsStrings() ?? Numbers(count);
        if (names.Count != count)
            throw Error(node, $"attribute 'candidates' names {names.Count} candidates, the node has {count} inputs.");
        if (names.Distinct().Count() != count || names.Any(string.IsNullOrEmpty))
            throw Error(node, $"candidate names must be distinct and not empty, got {string.Join(", ", names)}.");
        var prior = node.Attribute("prior")?.AsFloats();
        if (prior is not null && prior.Count != count)
            throw Error(node, $"attribute 'prior' has {prior.Count} numbers, the node has {count} inputs.");
        if (prior is not null && (prior.Any(p => !(p >= 0) || float.IsInfinity(p)) || prior.All(p => p == 0)))
            throw Error(node, $"attribute 'prior' must hold finite numbers from 0 on, not all 0, got {string.Join(", ", prior)}.");
        return new(label, names, prior);
    }

    private static InputChoice ReadInputChoice(Node node, string label)
    {
        RequireOnly(node, "label", "n_chosen", "reduction", "axis");
        var count = node.Inputs.Count;
        var chosen = node.Attribute("n_chosen")?.AsInt() ?? 1;
        if (chosen < 0 || chosen > count)
            throw Error(node, $"n_chosen is {chosen}, the node has {count} inputs; use 1 to {count}, or 0 for any number.");
        var name = node.Attribute("reduction")?.AsString() ?? "sum";
        var reduction = name switch
        {
            "sum" => Reduction.Sum,
            "mean" => Reduction.Mean,
            "concat" => Reduction.Concat,
            _ => throw Error(node, $"reduction '{name}' is not one of sum, mean, concat."),
        };
        if (reduction == Reduction.Concat && chosen == 0)
            throw Error(node, "reduction 'concat' with n_chosen = 0 has no fixed width; give n_chosen.");
        var axis = node.Attribute("axis")?.AsInt() ?? 1;
        if (axis is < -MostAxes or >= MostAxes)
            throw Error(node, $"axis is {axis}, which no tensor has; it must lie in [-rank,rank-1] of the inputs.");
        return new(label, Numbers(count), (int)chosen, reduction, (int)axis);
    }

    private static string? Difference(Choice a, Choice b) => (a, b) switch
    {
        _ when a.GetType() != b.GetType() => "operator",
        _ when a.Candidates.Count != b.Candidates.Count => $"number of candidates ({a.Candidates.Count} and {b.Candidates.Count})",
        _ when !a.Candidates.SequenceEqual(b.Candidates) => $"candidate names ({string.Join(",", a.Candidates)} and {string.Join(",", b.Candidates)})",
        (LayerChoice x, LayerChoice y) when x.Prior is null != y.Prior is null || x.Prior is not null && !x.Prior.SequenceEqual(y.Prior!) => "prior",
        (InputChoice x, InputChoice y) when x.ChosenCount != y.ChosenCount => $"n_chosen ({x.ChosenCount} and {y.ChosenCount})",
        (InputChoice x, InputChoice y) when x.Reduction != y.Reduction => $"reduction ({x.Reduction} and {y.Reduction})",
        (InputChoice x, InputChoice y) when x.Reduction == Reduction.Concat && x.Axis != y.Axis => $"axis ({x.Axis} and {y.Axis})",
        _ => null,
    };

    private static void RequireOnly(Node node, params ReadOnlySpan<string> known)
    {
        foreach (var name in node.Attributes.Keys)
        {
            if (!known.Contains(name))
                throw Error(node, $"attribute '{name}' is not known; {node.OpType} has {string.Join(", ", known.ToArray())}.");
        }
    }

    private static void RequireNoneInside(IEnumerable<(Graph Graph, string Where)> graphs)
    {
        foreach (var (graph, where) in graphs)
        {
            foreach (var node in graph.Nodes)
            {
                if (Markers.IsMarker(node))
                    throw Error(node, $"it stands in {where}; choices must stand in the main graph.");
                RequireNoneInside(node.Subgraphs.Select(g => (g, where)));
            }
        }
    }

    private static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    private static ChoiceException Error(Node node, string message) => new($"{node}: {message}");
}
