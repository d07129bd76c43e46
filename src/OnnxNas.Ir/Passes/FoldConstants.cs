using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes;

/// <summary>
/// y = f(constants) → initializer y; also shape computations whose result the type rules know.
/// </summary>
/// <remarks>
/// Requires nothing; infers types. A node is computed only if its type rule bounds each output to <c>limit</c> bytes beforehand,
/// whatever the file declares, so that a small file cannot ask for gigabytes. Random operators, operators outside ai.onnx, nodes with subgraphs
/// and initializers that are graph inputs are left alone, and so is a ConstantOfShape of floats: as an initializer it would look like a weight.
/// Weights are constants here; with <c>keepWeights</c> they are not. A weight that something else reads too stays one tensor (a tied weight behind Transpose is written once),
/// and none is made larger.
/// </remarks>
public sealed class FoldConstants(IConstantEvaluator evaluator, ITypeRules rules, long limit = FoldConstants.DefaultLimit, bool keepWeights = false) : Pass
{
    /// <summary>Bytes that one folded output takes at most: room for scales, indices and small tables.</summary>
    public const long DefaultLimit = 1 << 16;

    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        var inference = ShapeInference.Run(model, rules);
        var opsets = model.OpsetVersions();
        var editor = new GraphEditor(model);
        var count = 0;
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes))
        {
            if (!IsCandidate(node) || (Known(node, inference) ?? Compute(node, inference, opsets, editor)) is not { } results)
                continue;
            editor.ReplaceByConstants(node, results);
            count++;
        }

        return count;
    }

    // An Identity of a constant is how a graph output gets one.
    private static bool IsCandidate(Node node) =>
        node.Domain.Length == 0 && node.OpType is not ("Constant" or "Identity") && !node.Subgraphs.Any() && !RandomOperators.Contains(node)
        && (node.OpType != "ConstantOfShape" || node.Attribute("value")?.AsTensor().Type.IsFloatingPoint() == false);

    private static TensorData[]? Known(Node node, InferenceResult inference)
    {
        if (node.Outputs.Count != 1 || inference[node.Output] is not { Elements: { } elements } known || known.Shape?.ToLongs() is not { } dims)
            return null;
        if (!elements.All(e => e.IsKnown) || dims.Aggregate(1L, (a, b) => a * b) != elements.Count)
            return null;
        return known.Element switch
        {
            ElementType.Int64 => [TensorData.Create<long>(dims, [.. elements.Select(e => e.Value)])],
            ElementType.Int32 => [TensorData.Create<int>(dims, [.. elements.Select(e => checked((int)e.Value))])],
            _ => null,
        };
    }

    private TensorData?[]? Compute(Node node, InferenceResult inference, IReadOnlyDictionary<string, int> opsets, GraphEditor editor)
    {
        var inputs = node.Inputs.Select(i => i is null ? null : ConstantFacts.Constant(i)).ToArray();
        if (node.Inputs.All(i => i is null) || node.Inputs.Zip(inputs).Any(p => p.First is not null && p.Second is null))
            return null;
        if (!MayTake(node, inference, editor))
            return null;
        for (var i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i] is not null && !IsSmall(inference.FromRule(node, i)?.Type))
                return null;
        }

        if (evaluator.Evaluate(node, inputs, opsets) is not { } results)
            return null;
        var used = node.Outputs.Select((o, i) => o is not null && editor.IsRead(o) ? results.ElementAtOrDefault(i) : null).ToArray();
        var complete = node.Outputs.Zip(used).All(p => p.First is null || p.Second is not null || !editor.IsRead(p.First));
        return complete ? used : null;
    }

    private bool MayTake(Node node, InferenceResult inference, GraphEditor editor)
    {
        var weights = node.Inputs.OfType<Value>().Distinct().Where(v => v.Trains ?? keepWeights && ConstantFacts.MayBeWeight(ConstantFacts.Constant(v)!)).ToList();
        if (weights.Count == 0)
            return true;
        return !keepWeights && weights.All(w => w.Uses.All(u => u.Node == node) && !w.IsOutput)
            && node.Outputs.Where(o => o is not null && editor.IsRead(o)).Sum(o => (double)(inference[o!].Shape?.Size().ValueOrNull ?? long.MaxValue)) <= weights.Sum(w => (double)ConstantFacts.Constant(w)!.ElementCount);
    }

    private bool IsSmall(OnnxType? type)
    {
        if (type is not TensorType { Shape: { } shape } tensor || shape.ToLongs() is not { } dims)
            return false;
        // In floating point, since hostile dims overflow any integer; strings count as a pointer each.
        var bits = Math.Max(tensor.Element.BitWidth(), tensor.Element == ElementType.String ? 64 : 1);
        return dims.Aggregate((double)bits / 8, (a, b) => a * b) <= limit;
    }
}
