namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Makes values that are the same for every sample, but shaped for a fixed number of them, fit any number.</summary>
internal static class ConstantGrowth
{
    /// <summary>A value with one copy a sample on an axis, in place of one made for a fixed number.</summary>
    public static Value Grow(BatchGraph graph, Value value, BatchAxis axis, BatchNode reader)
    {
        var before = reader.Node;
        if (graph[value].Shape?.ToLongs() is not { } dims || axis.Axis >= dims.Length)
            throw reader.Refuse($"the shape of '{value.Name}' is not known");
        if (axis.Extent(graph.Samples).ValueOrNull != dims[axis.Axis])
            throw reader.Refuse($"'{value.Name}' [{string.Join(',', dims)}] has {dims[axis.Axis]} places for {graph.Samples} samples on axis {axis.Axis}");
        var name = value.Name + "_batch";
        if (dims[axis.Axis] != 1)
        {
            switch (value.Producer)
            {
                case { OpType: "ConstantOfShape", Domain: "" } maker:
                    return graph.Add("ConstantOfShape", [graph.ShapeWith(dims, axis, name + "_shape", before)], name, before, axis, [.. maker.Attributes.Values]);
                case { OpType: "Identity" or "Cast", Domain: "" } maker:
                    return graph.Add(maker.OpType, [Grow(graph, maker.Inputs[0]!, axis, reader)], name, before, axis, [.. maker.Attributes.Values]);
                case { OpType: "Expand", Domain: "" } maker when IsOne(graph, maker.Inputs[0]!, axis.Axis - dims.Length):
                    return Expand(maker.Inputs[0]!);
                case { OpType: "Tile", Domain: "" } maker when IsOne(graph, maker.Inputs[0]!, axis.Axis - dims.Length) && graph.Constant(maker.Inputs[1]!) is { } repeats:
                    var once = repeats.ToInt64s();
                    once[axis.Axis] = 1;
                    return Expand(graph.Add("Tile", [maker.Inputs[0], graph.AddConstant(name + "_repeats", TensorData.Vector<long>(once))], name + "_row", before));
            }
        }

        return Expand(dims[axis.Axis] == 1 ? value : OneRow(graph, value, axis, reader)
            ?? throw reader.Refuse($"'{value.Name}' is made for {graph.Samples} samples in a way that is not followed"));

        Value Expand(Value row) => graph.Add("Expand", [row, graph.ShapeWith(dims, axis, name + "_shape", before)], name, before, axis);
    }

    /// <summary>
    /// The one slice that a constant repeats along an axis, with extent 1 there; null where the value is no constant. What nodes compute is cut and not replaced: the parameters
    /// behind it stay the same tensors, and a filled mask does not become one.
    /// </summary>
    public static Value? OneRow(BatchGraph graph, Value value, BatchAxis axis, BatchNode reader)
    {
        if (graph.Constant(value) is not { } data)
            return null;
        while (value.Producer is { OpType: "Identity", Domain: "" } copy)
            value = copy.Inputs[0]!;
        if (axis.Extent(graph.Samples).ValueOrNull != data.Dims[axis.Axis])
            throw reader.Refuse($"'{value.Name}' {data} has {data.Dims[axis.Axis]} places for {graph.Samples} samples on axis {axis.Axis}");
        if (Row(data, axis.Axis) is not { } row)
            throw reader.Refuse($"'{value.Name}' {data} holds something else for each sample");
        return ConstantFacts.Constant(value) is not null ? graph.RowOf(value, axis.Axis, row) : Cut(graph, value, axis.Axis, reader.Node);
    }

    private static Value Cut(BatchGraph graph, Value value, int axis, Node before)
    {
        var name = value.Name + "_row";
        if (graph.Opset < 10)
            return graph.Add("Slice", [value], name, before, null, Attr.Of("axes", [(long)axis]), Attr.Of("starts", [0L]), Attr.Of("ends", [1L]));
        return graph.Add("Slice", [value, Number("starts", 0), Number("ends", 1), Number("axes", axis)], name, before);

        Value Number(string input, long number) => graph.AddConstant($"{name}_{input}", TensorData.Vector(number));
    }

    private static bool IsOne(BatchGraph graph, Value value, int fromEnd) =>
        graph[value].Shape is { } shape && (shape.Rank + fromEnd < 0 || shape[shape.Rank + fromEnd].ValueOrNull == 1);

    // The slice at place 0 where all are equal, else null.
    private static TensorData? Row(TensorData data, int axis)
    {
        if (data.Type.BitWidth() < 8 || data.Dims[axis] == 0)
            return null;
        var bytes = data.Bytes.Span;
        var (count, inner) = (data.Dims[axis], (int)(data.Dims.Skip(axis + 1).Aggregate(1L, (a, b) => a * b) * data.Type.BitWidth() / 8));
        var outer = (int)data.Dims.Take(axis).Aggregate(1L, (a, b) => a * b);
        var row = new byte[outer * inner];
        for (var o = 0; o < outer; o++)
        {
            var first = bytes.Slice((int)(o * count * inner), inner);
            first.CopyTo(row.AsSpan(o * inner));
            for (var i = 1; i < count; i++)
            {
                if (!first.SequenceEqual(bytes.Slice((int)((o * count + i) * inner), inner)))
                    return null;
            }
        }

        return TensorData.FromBytes(data.Type, [.. data.Dims.Select((d, a) => a == axis ? 1 : d)], row);
    }
}
