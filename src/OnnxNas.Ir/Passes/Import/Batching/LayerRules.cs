namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Layers whose first axis is the batch, normalisations, reductions and recurrent layers.</summary>
internal static class LayerRules
{
    public static IEnumerable<(string Names, Action<BatchNode> Rule)> All =>
    [
        ("AveragePool BatchNormalization Col2Im Conv ConvTranspose DepthToSpace GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization InstanceNormalization LpPool LRN "
            + "MaxPool SpaceToDepth", node => node.Set(0, node.Leading())),
        ("DeformConv", node => Aligned(node, 0, 2, 4)),
        ("GridSample", node => Aligned(node, 0, 1)),
        ("LayerNormalization RMSNormalization", LayerNormalization),
        ("LpNormalization", node => node.SetAll(Apart(node, node.Node.Attribute("axis")?.AsInt() ?? -1))),
        ("MeanVarianceNormalization", node => node.SetAll(Apart(node, node.Node.Attribute("axes")?.AsInts().ToArray() ?? [0, 2, 3]))),
        ("Softmax LogSoftmax Hardmax", Softmax),
        ("ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare", Reduce),
        ("ArgMax ArgMin", node => Removed(node, [node.Node.Attribute("axis")?.AsInt() ?? 0])),
        ("CumSum CumProd", node => node.SetAll(Apart(node, node.Integers("axis", 1) ?? [0]))),
        ("TopK", node => node.SetAll(Apart(node, node.Node.Attribute("axis")?.AsInt() ?? -1))),
        ("RNN GRU LSTM", Recurrent),
    ];

    // The batch must lie before the axis.
    private static BatchAxis Before(BatchNode node, long axis)
    {
        var batch = node.Only(0);
        return batch.Axis < node.FromFront(axis, node.Shape(0).Rank) ? batch : throw node.Mixes();
    }

    // The batch must not be among the axes.
    private static BatchAxis Apart(BatchNode node, params ReadOnlySpan<long> axes)
    {
        var (batch, rank) = (node.Only(0), node.Shape(0).Rank);
        foreach (var axis in axes)
        {
            if (node.FromFront(axis, rank) == batch.Axis)
                throw node.Mixes();
        }

        return batch;
    }

    // Scale and bias broadcast to all of X, so that they may be made for the batch too.
    private static void LayerNormalization(BatchNode node)
    {
        var batch = Before(node, node.Node.Attribute("axis")?.AsInt() ?? -1);
        for (var i = 1; i < node.Node.Inputs.Count; i++)
        {
            if (node.Node.Input(i) is not null && batch.Axis - node.Shape(0).Rank + node.Shape(i).Rank is >= 0 and var at)
                node.Fit(i, batch.At(at));
        }

        node.SetAll(batch);
    }

    private static void Softmax(BatchNode node)
    {
        // Below version 13 the axes from the given one on are taken together.
        var axis = node.Node.Attribute("axis")?.AsInt() ?? (node.Graph.Opset < 13 ? 1 : -1);
        node.SetAll(node.Graph.Opset < 13 ? Before(node, axis) : Apart(node, axis));
    }

    private static void Reduce(BatchNode node)
    {
        var axes = node.Integers("axes", 1) ?? [];
        if (axes.Length == 0 && node.Node.Attribute("noop_with_empty_axes")?.AsInt() is not 1)
            throw node.Mixes();
        Removed(node, axes);
    }

    private static void Removed(BatchNode node, long[] axes)
    {
        var (batch, rank) = (Apart(node, axes), node.Shape(0).Rank);
        var keep = node.Node.Attribute("keepdims")?.AsInt() != 0;
        node.SetAll(keep ? batch : batch.At(batch.Axis - axes.Count(a => node.FromFront(a, rank) < batch.Axis)));
    }

    private static void Aligned(BatchNode node, params ReadOnlySpan<int> inputs)
    {
        var axis = node.Leading(inputs);
        foreach (var input in inputs)
            node.Grow(input, axis);
        node.Set(0, axis);
    }

    // X [T,N,I], lengths [N], states [D,N,H] to Y [T,D,N,H] and states; with layout 1 N comes first everywhere.
    private static void Recurrent(BatchNode node)
    {
        var first = node.Node.Attribute("layout")?.AsInt() == 1;
        var axis = node.Only(0, 4, 5, 6);
        if (node.Axis(0) is not { } batch || batch.Axis != (first ? 0 : 1))
            throw node.Mixes();
        node.Grow(4, axis.At(0));
        node.Grow(5, axis.At(first ? 0 : 1));
        node.Grow(6, axis.At(first ? 0 : 1));
        node.SetAll(axis.At(first ? 0 : 1));
        node.Set(0, axis.At(first ? 0 : 2));
    }
}
