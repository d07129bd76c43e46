using OnnxNas.Ir;

namespace OnnxNas.Search.Choices;

/// <summary>
/// Model-local functions that make a marked model run unsearched in any ONNX runtime: one per marker operator, with as many
/// formal inputs as its widest call and the body <c>Identity(first input)</c>; an InputChoice that concatenates several inputs
/// gets an overload of its own that joins the first n_chosen.
/// </summary>
public static class MarkerFunctions
{
    private const long FunctionsSince = 8;
    private const long OverloadsSince = 10;

    /// <summary>Replaces the marker functions of a model by fitting ones.</summary>
    /// <exception cref="ChoiceException">The markers are malformed, or there are none.</exception>
    public static void Stamp(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var space = SearchSpace.Read(model);
        if (space.Choices.Count == 0)
            throw new ChoiceException("The model has no choices; mark it with org.onnxnas LayerChoice or InputChoice nodes first.");
        Remove(model);
        model.OpsetImports[Markers.Domain] = Markers.Version;
        model.IrVersion = Math.Max(model.IrVersion, FunctionsSince);
        var calls = space.Choices.SelectMany(choice => choice.Nodes.Select(node => (node, Overload: OverloadOf(choice)))).ToList();
        foreach (var group in calls.GroupBy(c => (c.node.OpType, c.Overload.Name)).OrderBy(g => g.Key.OpType, StringComparer.Ordinal).ThenBy(g => g.Key.Name, StringComparer.Ordinal))
        {
            var (overload, joined, axis) = group.First().Overload;
            foreach (var (node, _) in group)
                node.Overload = overload;
            if (overload.Length > 0)
                model.IrVersion = Math.Max(model.IrVersion, OverloadsSince);
            model.Functions.Add(Build(group.Key.OpType, overload, group.Max(c => c.node.Inputs.Count), joined, axis, model.Opset));
        }
    }

    /// <summary>
    /// Puts nodes that compute what the functions do in the place of markers with more than <paramref name="most"/> inputs, or of all where there are more markers than that: a
    /// runtime takes long over a function that wide, and ours computes one marker within the other.
    /// </summary>
    public static void Unfold(Model model, int most = 1_000)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Graph.Nodes.Count(Markers.IsMarker) > most)
            most = 0;
        foreach (var choice in SearchSpace.Read(model).Choices)
        {
            var (_, joined, axis) = OverloadOf(choice);
            foreach (var node in choice.Nodes.Where(n => n.Inputs.Count > most).ToList())
            {
                var (graph, inputs, output) = (node.Graph, node.Inputs.Take(joined).ToArray(), node.Output);
                var before = graph.Detach(node);
                graph.AddNode(joined == 1 ? "Identity" : "Concat", inputs, [output], attributes: joined == 1 ? [] : [Attr.Of("axis", (long)axis)], before: before);
            }
        }
    }

    /// <summary>Removes the marker functions of a model, and the overloads that its markers name.</summary>
    public static void Remove(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        for (var i = model.Functions.Count - 1; i >= 0; i--)
        {
            if (model.Functions[i].Domain == Markers.Domain)
                model.Functions.RemoveAt(i);
        }

        foreach (var node in model.Functions.Select(f => f.Body).Prepend(model.Graph).SelectMany(g => g.Nodes).Where(Markers.IsMarker))
            node.Overload = "";
    }

    private static (string Name, int Joined, int Axis) OverloadOf(Choice choice) =>
        choice is InputChoice { Reduction: Reduction.Concat, ChosenCount: > 1 } concat
            ? ($"concat_{concat.ChosenCount}_axis_{concat.Axis}", concat.ChosenCount, concat.Axis)
            : ("", 1, 0);

    private static Function Build(string name, string overload, int width, int joined, int axis, long opset)
    {
        var body = new Graph(name);
        for (var i = 0; i < width; i++)
            body.AddInput($"candidate_{i}");
        var output = body.AddValue("chosen");
        if (joined == 1)
            body.AddNode("Identity", [body.Inputs[0]], [output]);
        else
            body.AddNode("Concat", body.Inputs.Take(joined), [output], attributes: [Attr.Of("axis", (long)axis)]);
        body.AddOutput(output);
        var function = new Function(Markers.Domain, name, body) { Overload = overload };
        function.OpsetImports[""] = opset;
        return function;
    }
}
