using System.Globalization;
using System.Text;

namespace OnnxNas.Ir.Passes;

/// <summary>
/// y = f(x), z = f(x) → y = f(x), every reader of z reads y.
/// </summary>
/// <remarks>
/// Requires execution order. Ensures that no two nodes of one graph compute the same from the same values. Constants are compared by
/// identity, never by content, so two tensors of equal bytes stay two. Left alone: random operators, operators outside
/// ai.onnx, Identity (it gives a graph output its name), nodes with subgraphs, and BatchNormalization in training form, which updates statistics.
/// </remarks>
public sealed class MergeEqualNodes : Pass
{
    // Attribute tensors of ConstantOfShape and the like; larger ones are not worth the comparison.
    private const int MaxTensorBytes = 1024;

    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        var editor = new GraphEditor(model);
        return editor.Graphs.Sum(g => Apply(g, editor));
    }

    private static int Apply(Graph graph, GraphEditor editor)
    {
        var first = new Dictionary<string, Node>(StringComparer.Ordinal);
        var numbers = new Dictionary<Value, int>();
        var count = 0;
        foreach (var node in graph.Nodes)
        {
            if (!IsCandidate(node) || Key(node, numbers) is not { } key || first.TryAdd(key, node))
                continue;
            var original = first[key];
            for (var i = 0; i < node.Outputs.Count; i++)
            {
                if (node.Outputs[i] is { } output)
                    editor.Replace(output, original.Outputs[i]!);
            }

            graph.RemoveNode(node);
            count++;
        }

        return count;
    }

    private static bool IsCandidate(Node node) =>
        node.Domain.Length == 0 && node.OpType is not ("Identity" or "Constant") && !RandomOperators.Contains(node)
        && (node.OpType != "BatchNormalization" || node.Outputs.Count == 1 && node.Attribute("training_mode")?.AsInt() is null or 0);

    private static string? Key(Node node, Dictionary<Value, int> numbers)
    {
        var key = new StringBuilder(node.OpType);
        foreach (var input in node.Inputs)
            key.Append('|').Append(input is null ? "-" : Number(input).ToString(CultureInfo.InvariantCulture));
        key.Append('>');
        foreach (var output in node.Outputs)
            key.Append(output is null ? '-' : 'y');
        foreach (var attribute in node.Attributes.Values.OrderBy(a => a.Name, StringComparer.Ordinal))
        {
            if (Text(attribute) is not { } text)
                return null;
            key.Append('|').Append(attribute.Name).Append('=').Append(attribute.Kind).Append(':').Append(text);
        }

        return key.ToString();

        int Number(Value value)
        {
            if (!numbers.TryGetValue(value, out var number))
                numbers[value] = number = numbers.Count;
            return number;
        }
    }

    // Null where the attribute cannot be compared.
    private static string? Text(Attr attribute) => attribute.RefAttrName is not null ? null : attribute.Kind switch
    {
        AttrKind.Int => attribute.AsInt().ToString(CultureInfo.InvariantCulture),
        AttrKind.Float => Bits(attribute.AsFloat()),
        AttrKind.String => Convert.ToHexString(attribute.AsBytes().Span),
        AttrKind.Ints => string.Join(',', attribute.AsInts()),
        AttrKind.Floats => string.Join(',', attribute.AsFloats().Select(Bits)),
        AttrKind.Strings => string.Join(',', attribute.AsByteStrings().Select(s => Convert.ToHexString(s.Span))),
        AttrKind.Tensor when attribute.AsTensor() is { } tensor && tensor.Type.BitWidth() > 0 && tensor.ElementCount <= MaxTensorBytes / 16 =>
            $"{tensor}{Convert.ToHexString(tensor.Bytes.Span)}",
        _ => null,
    };

    private static string Bits(float value) => BitConverter.SingleToInt32Bits(value).ToString(CultureInfo.InvariantCulture);
}
