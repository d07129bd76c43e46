namespace OnnxNas.Search.Data;

/// <summary>Names from files, made fit for a message of one line.</summary>
internal static class Printable
{
    private const int Longest = 80;

    public static string Text(string name)
    {
        var clean = string.Concat(name.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Format
            or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator ? '?' : c));
        return clean.Length <= Longest ? clean : $"{clean[..Longest]}…";
    }

    public static string List(IEnumerable<string> names)
    {
        string[] all = [.. names];
        var shown = string.Join(", ", all.Take(12).Select(n => $"'{Text(n)}'"));
        return all.Length == 0 ? "none" : all.Length <= 12 ? shown : $"{shown} and {all.Length - 12} more";
    }
}
