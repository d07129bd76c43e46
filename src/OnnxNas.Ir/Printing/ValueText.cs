using System.Globalization;
using System.Text;

namespace OnnxNas.Ir.Printing;

/// <summary>Numbers, strings, lists and types as text.</summary>
internal static class ValueText
{
    public static string Show(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    public static string Quote(string text) =>
        $"\"{OneLine(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal))}\"";

    /// <summary>The text without line breaks and other control characters, whatever the file's names hold.</summary>
    public static string OneLine(string text)
    {
        if (!text.Any(IsControl))
            return text;
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c == '\n')
                escaped.Append("\\n");
            else if (IsControl(c))
                escaped.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else
                escaped.Append(c);
        }

        return escaped.ToString();

        static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
    }

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
