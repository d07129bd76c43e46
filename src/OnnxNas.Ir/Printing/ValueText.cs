using System.Globalization;

namespace OnnxNas.Ir.Printing;

/// <summary>Numbers, strings, lists and types as text.</summary>
internal static class ValueText
{
    public static string Show(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    public static string Quote(string text) =>
        $"\"{Printable.Line(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal))}\"";

    public static string List<T>(IEnumerable<T> items, Func<T, string> show) => $"[{string.Join(", ", items.Select(show))}]";

    public static string Show(OnnxType type) => type switch
    {
        SparseTensorType sparse => $"sparse({sparse.Element}{sparse.Shape?.ToString() ?? "[...]"})",
        SequenceType sequence => $"seq({Inner(sequence.Element)})",
        OptionalType optional => $"optional({Inner(optional.Element)})",
        MapType map => $"map({map.Key}, {Inner(map.Value)})",
        OpaqueType opaque => $"opaque({opaque.Domain}::{opaque.Name})",
        UnspecifiedType => "?",
        _ => type.ToString(),
    };

    private static string Inner(OnnxType? type) => type is null ? "?" : Show(type);
}
