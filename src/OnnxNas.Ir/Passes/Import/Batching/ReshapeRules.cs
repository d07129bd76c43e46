namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Operators that give a value other extents: where most files have their batch baked in.</summary>
internal static class ReshapeRules
{
    public static IEnumerable<(string Names, Action<BatchNode> Rule)> All =>
    [
        ("Reshape", Reshape),
        ("Flatten", Flatten),
        ("Squeeze", Squeeze),
        ("Unsqueeze", Unsqueeze),
        ("Expand", Expand),
    ];

    private static void Reshape(BatchNode node)
    {
        var (axis, source, graph) = (node.Only(0), node.Shape(0), node.Graph);
        var target = node.Node.Input(1) is { } input && graph[input].Elements is { } elements ? elements : throw node.Refuse("its shape is not known");
        // As the node stands, for any number of samples.
        var now = graph.Infer(node.Node)[0]?.Shape is { } inferred ? BatchLayout.Find(source, axis, inferred, graph.Batch).ToList() : [];
        if (target.Any(graph.Mentions))
        {
            node.SetAll(now.Count > 0 ? now[0] : throw node.Refuse($"its shape [{string.Join(',', target)}] does not keep the samples apart"));
            return;
        }

        var filed = Resolve(node, [.. source.Select((d, a) => a == axis.Axis ? axis.Extent(graph.Samples) : d)], target);
        var candidates = BatchLayout.Find(source, axis, filed, graph.Samples).ToList();
        if (candidates.Count == 0)
            throw node.Refuse($"no one extent of [{string.Join(',', target)}] holds the {graph.Samples} samples of {source}");
        var chosen = candidates[graph.Choices.Choose(candidates.Count)];
        node.SetAll(chosen);
        if (now.Contains(chosen))
            return;
        var numbers = filed.Select((d, i) => i == chosen.Axis ? -1 : Entry(node, i, target[i], d, axis)).ToArray();
        node.Node.ReplaceInput(1, graph.AddConstant($"{node.Node.Label}_shape", TensorData.Vector<long>(numbers)));
        node.Change = $"its shape [{string.Join(',', target)}] becomes [{string.Join(',', numbers)}]";
    }

    // An extent that does not hold the batch: as a number, or still copied from the source.
    private static long Entry(BatchNode node, int index, Dim target, Dim resolved, BatchAxis source) =>
        resolved.ValueOrNull ?? (target.ValueOrNull == 0 && index != source.Axis ? 0 : throw node.Refuse($"extent {index} of its shape is not known"));

    // The extents of the result for the source the file was made for.
    private static Dim[] Resolve(BatchNode node, IReadOnlyList<Dim> source, IReadOnlyList<Dim> target)
    {
        var allowsZero = node.Node.Attribute("allowzero")?.AsInt() == 1;
        Dim[] result = [.. target];
        var rest = source.Aggregate(Dim.Known(1), (a, b) => a * b);
        var open = -1;
        for (var i = 0; i < result.Length; i++)
        {
            if (result[i].ValueOrNull == 0 && !allowsZero)
                result[i] = i < source.Count ? source[i] : throw node.Refuse($"extent {i} of its shape copies from none");
            if (result[i].ValueOrNull == -1)
                open = i;
            else
                rest = result[i].ValueOrNull == 0 ? throw node.Refuse("its shape holds no elements") : Dim.FloorDiv(rest, result[i]);
        }

        if (open >= 0)
            result[open] = rest;
        return result;
    }

    private static void Flatten(BatchNode node)
    {
        var axis = node.Only(0);
        var result = node.Graph.Infer(node.Node)[0]?.Shape ?? throw node.Refuse("its shape is not known");
        var found = BatchLayout.Find(node.Shape(0), axis, result, node.Graph.Batch).ToList();
        node.SetAll(found.Count > 0 ? found[0] : throw node.Mixes());
    }

    private static void Squeeze(BatchNode node)
    {
        var (axis, shape) = (node.Only(0), node.Shape(0));
        var axes = node.Integers("axes", 1)?.Select(a => node.FromFront(a, shape.Rank)).ToArray();
        if (axes is null)
        {
            // Without axes every extent of 1 goes, and with them a batch of one sample.
            if (axis.Extent(node.Graph.Samples).ValueOrNull == 1 || shape.Any(d => !d.IsKnown && !node.Graph.Mentions(d)))
                throw node.Refuse("it drops the batch axis of a single sample");
            axes = [.. Enumerable.Range(0, shape.Rank).Where(a => shape[a].ValueOrNull == 1)];
            SetAxes(node, axis, axes);
        }

        if (axes.Contains(axis.Axis))
            throw node.Refuse("it drops the batch axis");
        node.SetAll(axis.At(axis.Axis - axes.Count(a => a < axis.Axis)));
    }

    private static void SetAxes(BatchNode node, BatchAxis batch, int[] axes)
    {
        long[] numbers = [.. axes.Select(a => (long)a)];
        node.Change = $"it drops axes [{string.Join(',', numbers)}], whatever the batch";
        var (data, name, byAttribute) = (node.Node.Inputs[0]!, node.Node.Label, node.Graph.Opset < 13);
        if (numbers.Length == 0)
        {
            // No axes would say all axes of extent 1, so there must be one to drop.
            numbers = [node.Shape(0).Rank];
            data = byAttribute
                ? node.Graph.Add("Unsqueeze", [data], name + "_one", node.Node, batch, Attr.Of("axes", numbers))
                : node.Graph.Add("Unsqueeze", [data, Axes()], name + "_one", node.Node, batch);
            node.Node.ReplaceInput(0, data);
        }

        if (byAttribute)
            node.Node.SetAttribute(Attr.Of("axes", numbers));
        else
            node.Node.SetInputs([data, Axes()]);

        Value Axes() => node.Graph.AddConstant(name + "_axes", TensorData.Vector<long>(numbers));
    }

    private static void Unsqueeze(BatchNode node)
    {
        var (axis, rank) = (node.Only(0), node.Shape(0).Rank);
        var given = node.Integers("axes", 1) ?? throw node.Refuse("its axes are not known");
        var axes = given.Select(a => node.FromFront(a, rank + given.Length)).ToHashSet();
        node.SetAll(axis.At(Enumerable.Range(0, rank + given.Length).Where(a => !axes.Contains(a)).ElementAt(axis.Axis)));
    }

    // The shape is aligned at the last axis; an extent of 1 there leaves the batch alone.
    private static void Expand(BatchNode node)
    {
        var (axis, rank, graph) = (node.Only(0), node.Shape(0).Rank, node.Graph);
        var target = node.Node.Input(1) is { } input && graph[input].Elements is { } elements ? elements : throw node.Refuse("its shape is not known");
        var result = axis.At(axis.Axis + Math.Max(0, target.Count - rank));
        node.SetAll(result);
        var at = axis.Axis + target.Count - rank;
        if (at < 0 || target[at].ValueOrNull == 1 || target[at].Equals(axis.Extent(graph.Batch)))
            return;
        if (target[at].ValueOrNull is not { } extent || extent != axis.Extent(graph.Samples).ValueOrNull || !target.All(d => d.IsKnown))
            throw node.Refuse("it repeats the batch");
        var numbers = target.Select((d, i) => i == at ? 1 : d.Value).ToArray();
        node.Node.ReplaceInput(1, graph.AddConstant($"{node.Node.Label}_shape", TensorData.Vector<long>(numbers)));
        node.Change = $"its shape [{string.Join(',', target)}] becomes [{string.Join(',', numbers)}]";
    }
}
