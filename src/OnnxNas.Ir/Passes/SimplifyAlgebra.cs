using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes;

/// <summary>
/// Add(x, 0) → x; Sub(x, 0) → x; Mul(x, 1) → x; Div(x, 1) → x; Mul(x, 0) → zeros like x; Sub(x, x) → zeros like x; f(zeros) → zeros.
/// </summary>
/// <remarks>
/// A neutral operand may have any shape that surely leaves the shape of x as it is. Zeros are followed through convolutions without bias,
/// pools, activations, reshapes and the like until a live value absorbs them; where none does they become a
/// ConstantOfShape whose batch extent is the Shape of a graph input (or, where an input does not have it, of x).
/// Assumes that values not known before running are finite and that the sign of a zero does not matter; a constant with
/// infinities or NaN is left alone. With <c>keepWeights</c> float constants of more than one element may still be trained and count as unknown.
/// Requires opset 7 (NumPy broadcasting), 9 for ConstantOfShape; infers types. Ensures that no Mul by a zero constant is left whose result has a shape that
/// can be had: one of numbers and extents of inputs, or the shape of one of its operands.
/// </remarks>
public sealed class SimplifyAlgebra(ITypeRules rules, bool keepWeights = false) : Pass
{
    // Before it, operators broadcast by attributes of their own.
    private const int Broadcasts = 7;

    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset < Broadcasts)
            return 0;
        ShapeInference.Run(model, rules);
        var editor = new GraphEditor(model);
        var zeros = new ZeroAnalysis(editor, model.Opset, keepWeights);
        var count = editor.Graphs.SelectMany(g => g.Nodes).Count(n => DropNeutral(n, zeros, editor));
        foreach (var graph in editor.Graphs)
            count += DissolveZeros(graph, zeros, new ZerosBuilder(editor, graph, model.Opset), editor);
        return count;
    }

    private bool DropNeutral(Node node, ZeroAnalysis zeros, GraphEditor editor)
    {
        if (node.Domain.Length > 0 || node.Inputs.Any(i => i is null))
            return false;
        if (node.OpType == "Sum" && node.Inputs.Count > 1)
            return DropZeroTerms(node, zeros);
        if (node.Inputs.Count != 2)
            return false;
        var (a, b) = (node.Inputs[0]!, node.Inputs[1]!);
        var kept = node.OpType switch
        {
            "Add" when IsNeutral(b, a, zeros.IsZero) => a,
            "Add" when IsNeutral(a, b, zeros.IsZero) => b,
            "Sub" when IsNeutral(b, a, zeros.IsZero) => a,
            "Mul" when IsNeutral(b, a, IsOne) => a,
            "Mul" when IsNeutral(a, b, IsOne) => b,
            "Div" when IsNeutral(b, a, IsOne) => a,
            _ => null,
        };
        if (kept is null)
            return false;
        editor.Replace(node.Output, kept);
        node.Graph.RemoveNode(node);
        return true;
    }

    private bool IsOne(Value value) => value.IsFilledWith(1, keepWeights);

    private static bool IsNeutral(Value operand, Value other, Predicate<Value> isNeutral) => operand.FitsInto(other) && isNeutral(operand);

    // Terms go one by one, each against those that stay, so that the widest is kept.
    private static bool DropZeroTerms(Node node, ZeroAnalysis zeros)
    {
        var terms = node.Inputs.Select(i => i!).ToList();
        for (var i = terms.Count - 1; i >= 0; i--)
        {
            var term = terms[i];
            if (zeros.IsZero(term) && terms.Where((_, j) => j != i).Any(term.FitsInto))
                terms.RemoveAt(i);
        }

        if (terms.Count == node.Inputs.Count)
            return false;
        node.SetInputs(terms);
        return true;
    }

    // Backwards, so that what reads a zero is gone before it is asked whether the zero is needed.
    private static int DissolveZeros(Graph graph, ZeroAnalysis zeros, ZerosBuilder builder, GraphEditor editor)
    {
        var count = 0;
        for (var node = graph.Last; node is not null;)
        {
            var previous = node.Previous;
            if (Dissolve(node, zeros, builder, editor))
                count++;
            node = previous;
        }

        return count;
    }

    private static bool Dissolve(Node node, ZeroAnalysis zeros, ZerosBuilder builder, GraphEditor editor)
    {
        var live = node.Outputs.OfType<Value>().Where(editor.IsRead).ToArray();
        if (live.Any(o => !zeros.IsZero(o)) || !node.Outputs.OfType<Value>().Any(zeros.IsZero) || IsFinal(node, zeros))
            return false;
        var replacements = live.Select(o => Zeros(o, node, zeros, builder)).ToArray();
        if (replacements.Any(r => r is null))
            return false;
        foreach (var (output, replacement) in live.Zip(replacements))
            editor.Replace(output, replacement!);
        node.Graph.RemoveNode(node);
        return true;
    }

    // A zero constant, or the Identity that makes one a graph output.
    private static bool IsFinal(Node node, ZeroAnalysis zeros) =>
        node.Outputs.OfType<Value>().Any(zeros.IsStructural) || node.OpType == "Identity" && node.Input(0) is { } source && zeros.IsStructural(source);

    private static Value? Zeros(Value output, Node before, ZeroAnalysis zeros, ZerosBuilder builder)
    {
        var like = zeros.ShapeSource(output);
        if (zeros.IsStructural(like))
            return like;
        return builder.Of(output.Type) ?? (ReferenceEquals(like, output) ? null : builder.Like(like, before));
    }
}
