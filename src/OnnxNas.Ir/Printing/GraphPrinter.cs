using System.Text;

namespace OnnxNas.Ir.Printing;

/// <summary>
/// A model as text for people, diffs and golden tests: one line a node, subgraphs indented below theirs. The same
/// model gives the same text on every machine.
/// </summary>
public static class GraphPrinter
{
    /// <summary>
    /// The text. Values are <c>%name</c>, an omitted input or output is <c>_</c>; a tensor of more than 8 elements, or
    /// of a type without plain numbers, shows the start of the SHA-256 of its payload.
    /// </summary>
    public static string Print(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var text = new StringBuilder();
        text.Append(Invariant($"model ir={model.IrVersion} {Opsets(model.OpsetImports)}"));
        if (model.ProducerName is not null)
            text.Append(" producer=").Append(ValueText.Quote($"{model.ProducerName} {model.ProducerVersion}".TrimEnd()));
        text.Append('\n');
        foreach (var (key, value) in model.Metadata)
            text.Append("  metadata ").Append(ValueText.Quote(key)).Append(" = ").Append(ValueText.Quote(value)).Append('\n');
        Print(text, model.Graph, "graph", 0);
        foreach (var function in model.Functions)
        {
            var overload = function.Overload.Length == 0 ? "" : $":{function.Overload}";
            var formals = function.AttributeNames.Concat(function.AttributeDefaults.Select(a => $"{a.Name}={AttributeText(a)}")).ToArray();
            var attributes = formals.Length == 0 ? "" : $" {{{string.Join(", ", formals)}}}";
            Print(text, function.Body, $"function {Operator(function.Domain, function.Name)}{overload}{attributes} {Opsets(function.OpsetImports)}", 0, isBody: true);
        }

        return text.ToString();
    }

    private static void Print(StringBuilder text, Graph graph, string title, int depth, bool isBody = false)
    {
        var name = isBody || graph.Name.Length == 0 ? "" : " " + ValueText.Quote(graph.Name);
        Line(text, depth, $"{title}{name} ({Typed(graph.Inputs)}) -> ({Typed(graph.Outputs)})");
        foreach (var value in graph.Initializers)
            Line(text, depth + 1, $"%{value.Name} = {TensorText.Show(value.Initializer!)}");
        foreach (var sparse in graph.SparseInitializers)
            Line(text, depth + 1, $"%{sparse.Name} = {TensorText.Show(sparse)}");
        foreach (var node in graph.Nodes)
            Print(text, node, depth + 1);
    }

    private static void Print(StringBuilder text, Node node, int depth)
    {
        var overload = node.Overload.Length == 0 ? "" : $":{node.Overload}";
        var inputs = string.Join(", ", node.Inputs.Select(value => value is null ? "_" : $"%{value.Name}"));
        var plain = node.Attributes.Values.Where(a => !a.Graphs.Any()).Select(a => $"{a.Name}={AttributeText(a)}").ToArray();
        var attributes = plain.Length == 0 ? "" : $" {{{string.Join(", ", plain)}}}";
        var name = node.Name.Length == 0 ? "" : $" # {node.Name}";
        Line(text, depth, $"{Typed(node.Outputs)} = {Operator(node.Domain, node.OpType)}{overload}({inputs}){attributes}{name}");
        foreach (var attribute in node.Attributes.Values)
        {
            foreach (var inner in attribute.Graphs)
                Print(text, inner, $"{attribute.Name} =", depth + 1);
        }
    }

    private static string AttributeText(Attr attribute) => attribute switch
    {
        { RefAttrName: { } reference } => $"@{reference}",
        { Kind: AttrKind.Int } => Invariant($"{attribute.AsInt()}"),
        { Kind: AttrKind.Float } => ValueText.Show(attribute.AsFloat()),
        { Kind: AttrKind.String } => ValueText.Quote(attribute.AsString()),
        { Kind: AttrKind.Ints } => ValueText.List(attribute.AsInts(), v => Invariant($"{v}")),
        { Kind: AttrKind.Floats } => ValueText.List(attribute.AsFloats(), ValueText.Show),
        { Kind: AttrKind.Strings } => ValueText.List(attribute.AsStrings(), ValueText.Quote),
        { Kind: AttrKind.Tensor } => TensorText.Show(attribute.AsTensor()),
        { Kind: AttrKind.Tensors } => ValueText.List(attribute.AsTensors(), TensorText.Show),
        { Kind: AttrKind.SparseTensor } => TensorText.Show(attribute.AsSparseTensor()),
        { Kind: AttrKind.SparseTensors } => ValueText.List(attribute.AsSparseTensors(), TensorText.Show),
        { Kind: AttrKind.Type } => ValueText.Show(attribute.AsType()),
        { Kind: AttrKind.Types } => ValueText.List(attribute.AsTypes(), ValueText.Show),
        _ => "[]", // A list of no graphs.
    };

    private static string Typed(IEnumerable<Value?> values) => string.Join(", ", values.Select(value =>
        value is null ? "_" : value.Type is null ? $"%{value.Name}" : $"%{value.Name}: {ValueText.Show(value.Type)}"));

    private static string Operator(string domain, string name) => domain.Length == 0 ? name : $"{domain}::{name}";

    private static string Opsets(IDictionary<string, long> imports) =>
        string.Join(' ', imports.Select(import => Invariant($"{(import.Key.Length == 0 ? "opset" : import.Key)}={import.Value}")));

    private static void Line(StringBuilder text, int depth, string line) => text.Append(' ', 2 * depth).Append(Printable.Line(line)).Append('\n');

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
