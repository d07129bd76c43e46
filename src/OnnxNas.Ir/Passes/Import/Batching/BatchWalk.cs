using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Goes through a graph in order, with the batch as a symbol, and makes every node follow it.</summary>
internal sealed class BatchWalk(BatchGraph graph, IReadOnlyList<Value> inputs, Func<Node, string?> operatorOf)
{
    // What may read the batch size as a number: shapes.
    private static readonly HashSet<string> TakesCounts = ["Reshape", "Expand", "Slice", "Resize"];

    /// <summary>Rewrites the graph; returns what was changed, by node.</summary>
    /// <exception cref="BatchException">A node does not keep the samples apart, or nothing tells whether it does.</exception>
    public IReadOnlyList<(string Node, string Change)> Run()
    {
        var changes = new List<(string, string)>();
        var main = graph.Model.Graph;
        foreach (var input in main.Inputs)
            graph.Set(input, new(input.Type), null);
        foreach (var input in inputs)
            graph.Set(input, new(BatchInputs.WithBatch(input, graph.Batch)), BatchAxis.Pure(0));
        foreach (var initializer in main.Initializers.Where(i => !i.IsInput).ToList())
            graph.SetConstant(initializer, initializer.Initializer!);
        foreach (var node in main.Nodes.ToList())
        {
            if (Visit(node) is { } change)
                changes.Add((node.Label, change));
        }

        if (main.Outputs.FirstOrDefault(graph.Counts) is { } count)
            throw new BatchException(count.Producer!.Label, $"{count.Producer}: it hands on the number of samples as output '{count.Name}'");

        return changes;
    }

    private string? Visit(Node node)
    {
        if (ConstantNode.Read(node) is { } data)
        {
            graph.SetConstant(node.Output, data);
            return null;
        }

        var reads = Graph.Reads(node).ToList();
        var (batched, counts) = (reads.Any(v => graph.AxisOf(v) is not null), reads.Any(graph.Counts));
        var seen = new BatchNode(graph, node, operatorOf(node) ?? (node.Domain.Length == 0 ? node.OpType : ""));
        if (node.Subgraphs.Any())
        {
            if (batched || counts)
                throw seen.Refuse("the graph it holds reads samples, which is not followed");
        }
        else if (batched && node is not { Domain: "", OpType: "Shape" or "Size" })
        {
            if (counts && !TakesCounts.Contains(seen.Op))
                throw seen.Refuse("it computes with the number of samples");
            var rule = BatchRules.Find(seen.Op) ?? throw seen.Refuse("nothing is known of how this operator treats a batch");
            graph.RequireSound(node);
            rule(seen);
        }
        else if (counts)
        {
            FillByCount(seen);
        }

        var found = batched || counts ? graph.Infer(node) : TryInfer(node);
        for (var i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i] is { } output)
                Learn(seen, output, i < found.Count ? found[i] : null, seen.Result(i), batched || counts);
        }

        return seen.Change;
    }

    // A value filled by the batch size is the same for each sample.
    private void FillByCount(BatchNode node)
    {
        if (node.Op is not ("ConstantOfShape" or "Expand") || graph.Counts(node.Node.Input(0)) != (node.Op == "ConstantOfShape"))
            return;
        var result = graph.Infer(node.Node)[0]?.Shape ?? throw node.Refuse("its shape is not known");
        var axes = Enumerable.Range(0, result.Rank).Where(a => graph.Mentions(result[a])).ToList();
        if (axes.Count != 1)
            throw node.Refuse("its shape does not follow the batch on one axis");
        node.SetAll(new(axes[0], 1, Dim.FloorDiv(result[axes[0]], graph.Batch)));
    }

    private IReadOnlyList<InferredValue?> TryInfer(Node node)
    {
        try
        {
            return graph.Infer(node);
        }
        catch (UnsupportedOperatorException)
        {
            return [];
        }
    }

    // The rule of types and the rule of batches were made apart: what they say must agree.
    private void Learn(BatchNode node, Value output, InferredValue? found, BatchAxis? axis, bool follows)
    {
        if (!follows)
        {
            graph.Set(output, found is null ? new(output.Type) : new(TypeMerge.Merge(found.Type, output.Type, () => Contradicts(node, output)), found.Elements), null);
            return;
        }

        if (axis is null && found?.Elements is { } elements && elements.All(e => !e.IsUnknown) && found.Shape?.Any(graph.Mentions) == false)
        {
            graph.Set(output, found, null);
            return;
        }

        if (found?.Shape is not { } shape)
            throw node.Refuse($"the shape of its output '{output.Name}' is not known");
        for (var i = 0; i < shape.Rank; i++)
        {
            if (i == axis?.Axis ? !shape[i].Equals(axis.Value.Extent(graph.Batch)) : shape[i].IsUnknown || graph.Mentions(shape[i]))
                throw node.Refuse($"its output '{output.Name}' {shape} does not follow the batch {(axis is null ? "" : $"on axis {axis.Value.Axis} ")}as it should");
        }

        if (axis is null && !IsSameForAll(node, output))
            throw node.Refuse("it computes with the number of samples");
        graph.Set(output, new(found.Type is TensorType tensor ? tensor with { Denotation = output.Type?.Denotation } : found.Type, found.Elements), axis);
    }

    // What a BatchNormalization in training form makes beside Y is not for readers of samples; of CastLike's second input the type alone counts.
    private static bool IsSameForAll(BatchNode node, Value output) =>
        node.Op == "BatchNormalization" && output.OutputIndex > 0 || node.Op == "CastLike" && node.Axis(0) is null;

    private static ShapeInferenceException Contradicts(BatchNode node, Value output) => new($"{node.Node}: output '{output.Name}' has another type than declared.");
}
