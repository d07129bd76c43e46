namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Operators that move elements between places of known axes.</summary>
internal static class MovementRules
{
    // Exporters write "to the end" as the greatest int32 or int64.
    private const long Far = int.MaxValue;

    public static IEnumerable<(string Names, Action<BatchNode> Rule)> All =>
    [
        ("Transpose", Transpose),
        ("Concat", Concat),
        ("Slice", Slice),
        ("Split", Split),
        ("Gather", Gather),
        ("GatherElements", GatherElements),
        ("Tile", Tile),
        ("Pad", Pad),
        ("Resize", Resize),
        ("Upsample", Upsample),
        ("OneHot", OneHot),
        ("Trilu", node => node.SetAll(node.Only(0) is { } axis && axis.Axis < node.Shape(0).Rank - 2 ? axis : throw node.Mixes())),
    ];

    private static void Transpose(BatchNode node)
    {
        var (axis, rank) = (node.Only(0), node.Shape(0).Rank);
        var order = node.Node.Attribute("perm")?.AsInts() ?? [.. Enumerable.Range(0, rank).Reverse().Select(i => (long)i)];
        node.SetAll(axis.At(order.ToList().IndexOf(axis.Axis)));
    }

    private static void Concat(BatchNode node)
    {
        var first = node.Batched.First();
        var axis = node.Axis(first)!.Value;
        if (node.FromFront(node.Node.Attribute("axis")?.AsInt() ?? 1, node.Shape(first).Rank) == axis.Axis)
            throw node.Refuse("it joins values along the batch");
        for (var i = 0; i < node.Node.Inputs.Count; i++)
            node.Grow(i, axis);
        node.SetAll(axis);
    }

    private static void Slice(BatchNode node)
    {
        var axis = node.Only(0);
        node.SetAll(axis);
        var axes = node.Integers("axes", 3);
        var rank = node.Shape(0).Rank;
        var starts = Bound("starts", 1);
        var at = axes is null ? axis.Axis < starts.Count ? axis.Axis : -1 : Array.FindIndex(axes, a => node.FromFront(a, rank) == axis.Axis);
        if (at < 0)
            return;
        var ends = Bound("ends", 2);
        var extent = axis.Extent(node.Graph.Samples).ValueOrNull;
        if (starts[at].ValueOrNull != 0 || (node.Integers("steps", 4)?[at] ?? 1) != 1 || !(ends[at].Equals(axis.Extent(node.Graph.Batch)) || ends[at].ValueOrNull >= extent))
            throw node.Refuse("it takes some of the samples of a batch");
        if (!ends[at].IsKnown || ends[at].Value >= Far)
            return;
        var far = ends.Select((e, i) => i == at ? long.MaxValue : e.ValueOrNull ?? throw node.Refuse("its ends are not known")).ToArray();
        if (node.Node.Attribute("ends") is not null)
            node.Node.SetAttribute(Attr.Of("ends", far));
        else
            node.Node.ReplaceInput(2, Vector(node, 2, "ends", far));
        node.Change = $"it takes all samples, not the first {extent}";

        IReadOnlyList<Dim> Bound(string name, int input) => node.Node.Attribute(name) is { } given ? [.. given.AsInts().Select(Dim.Known)]
            : (node.Node.Input(input) is { } value ? node.Graph[value].Elements : null) ?? throw node.Refuse($"its {name} are not known");
    }

    // A vector of the integer type that an input has.
    private static Value Vector(BatchNode node, int input, string name, long[] values)
    {
        var narrow = node.Graph[node.Node.Inputs[input]!].Element == ElementType.Int32;
        return node.Graph.AddConstant($"{node.Node.Label}_{name}", narrow
            ? TensorData.Vector<int>([.. values.Select(v => (int)Math.Min(v, int.MaxValue))])
            : TensorData.Vector<long>(values));
    }

    private static void Split(BatchNode node)
    {
        var axis = node.Only(0);
        if (node.FromFront(node.Node.Attribute("axis")?.AsInt() ?? 0, node.Shape(0).Rank) == axis.Axis)
            throw node.Refuse("it splits the batch");
        node.SetAll(axis);
    }

    private static void Gather(BatchNode node)
    {
        var along = node.FromFront(node.Node.Attribute("axis")?.AsInt() ?? 0, node.Shape(0).Rank);
        if (node.Axis(0) is { } data)
        {
            node.Only(0);
            if (data.Axis == along)
                throw node.Refuse("it picks samples of a batch");
            node.SetAll(data.Axis < along ? data : data.At(data.Axis - 1 + node.Shape(1).Rank));
            return;
        }

        var indices = node.Only(1);
        node.SetAll(indices.At(along + indices.Axis));
    }

    private static void GatherElements(BatchNode node)
    {
        var axis = node.Axis(node.Batched.First())!.Value;
        if (node.FromFront(node.Node.Attribute("axis")?.AsInt() ?? 0, node.Shape(0).Rank) == axis.Axis)
            throw node.Refuse("it picks samples of a batch");
        node.Grow(0, axis);
        node.Grow(1, axis);
        node.SetAll(axis);
    }

    private static void Tile(BatchNode node)
    {
        var axis = node.Only(0);
        if (node.Integers("repeats", 1) is not { } repeats || repeats.Length <= axis.Axis || repeats[axis.Axis] != 1)
            throw node.Refuse("it repeats the batch");
        node.SetAll(axis);
    }

    private static void Pad(BatchNode node)
    {
        var (axis, rank) = (node.Only(0), node.Shape(0).Rank);
        var pads = node.Integers("pads", 1) ?? throw node.Refuse("its pads are not known");
        var axes = node.Integers("axes", 3)?.Select(a => node.FromFront(a, rank)).ToList() ?? [.. Enumerable.Range(0, rank)];
        var at = axes.IndexOf(axis.Axis);
        if (at >= 0 && (pads[at] != 0 || pads[at + axes.Count] != 0))
            throw node.Refuse("it pads the batch");
        node.SetAll(axis);
    }

    private static void Upsample(BatchNode node)
    {
        var axis = node.Only(0);
        RequireScaleOne(node, node.Node.Attribute("scales")?.AsFloats().Select(s => (double)s).ToArray() ?? Doubles(node, 1), axis.Axis);
        node.SetAll(axis);
    }

    private static void Resize(BatchNode node)
    {
        var (axis, rank) = (node.Only(0), node.Shape(0).Rank);
        if (node.Node.Attribute("keep_aspect_ratio_policy")?.AsString() is not (null or "stretch")
            || node.Node.Attribute("coordinate_transformation_mode")?.AsString() == "tf_crop_and_resize")
            throw node.Refuse("its sizes are not followed");
        var axes = node.Node.Attribute("axes")?.AsInts().Select(a => node.FromFront(a, rank)).ToList() ?? [.. Enumerable.Range(0, rank)];
        var at = axes.IndexOf(axis.Axis);
        node.SetAll(axis);
        if (at < 0)
            return;
        if (node.Node.Input(3) is not { } sizes)
        {
            RequireScaleOne(node, Doubles(node, node.Graph.Opset < 11 ? 1 : 2), at);
            return;
        }

        var elements = node.Graph[sizes].Elements ?? throw node.Refuse("its sizes are not known");
        if (elements[at].Equals(axis.Extent(node.Graph.Batch)))
            return;
        if (elements[at].ValueOrNull is not { } size || size != axis.Extent(node.Graph.Samples).ValueOrNull || !elements.All(e => e.IsKnown))
            throw node.Refuse("it resizes the batch");
        node.Node.ReplaceInput(3, node.Graph.ShapeWith([.. elements.Select(e => e.Value)], axis.At(at), node.Node.Label + "_sizes", node.Node));
        node.Change = $"extent {at} of its sizes follows the batch";
    }

    private static double[] Doubles(BatchNode node, int input) =>
        node.Node.Input(input) is { } value && node.Graph.Constant(value) is { } data ? data.ToDoubles() : throw node.Refuse("its scales are not known");

    private static void RequireScaleOne(BatchNode node, double[] scales, int at)
    {
        if (at >= scales.Length || scales[at] != 1)
            throw node.Refuse("it resizes the batch");
    }

    private static void OneHot(BatchNode node)
    {
        var axis = node.Only(0);
        var added = node.FromFront(node.Node.Attribute("axis")?.AsInt() ?? -1, node.Shape(0).Rank + 1);
        node.SetAll(axis.Axis < added ? axis : axis.At(axis.Axis + 1));
    }
}
