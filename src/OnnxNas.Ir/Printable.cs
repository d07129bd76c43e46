using System.Globalization;
using System.Text;

namespace OnnxNas.Ir;

/// <summary>
/// Text that holds names from files, made fit for a terminal and for a line: what would steer a terminal, turn the direction of text or not be seen at all is written as
/// an escape (<c>\u202e</c>), and what is very long is shortened.
/// </summary>
public static class Printable
{
    private const int LongestName = 80;
    private const int LongestQuoted = 400;
    private const int LongestMessage = 2000;
    private const int Listed = 12;

    /// <summary>A name, short enough for a message.</summary>
    public static string Text(string name) => Shorten(Line(name), LongestName);

    /// <summary>Names in quotes, the first dozen of them.</summary>
    public static string List(IEnumerable<string> names)
    {
        string[] all = [.. names];
        var shown = string.Join(", ", all.Take(Listed).Select(n => $"'{Text(n)}'"));
        return all.Length == 0 ? "none" : all.Length <= Listed ? shown : $"{shown} and {all.Length - Listed} more";
    }

    /// <summary>A message whose names have been put into it as they were: one line of bearable length.</summary>
    public static string Message(string text)
    {
        var line = Line(text);
        if (line.Length <= LongestQuoted)
            return line;
        // Names stand in quotes. What follows them, such as what to do next, is kept.
        line = string.Join('\'', line.Split('\'').Select((part, i) => i % 2 == 1 ? Shorten(part, LongestQuoted) : part));
        // A message lists names, of which a file may have any number.
        return line.Length <= LongestMessage ? line : $"{line[..(LongestMessage / 2)]} … {line[^(LongestMessage / 2)..]}";
    }

    /// <summary>Text of any length as one line.</summary>
    public static string Line(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.All(c => c is >= ' ' and <= '~'))
            return text;
        var line = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var isWhole = Rune.TryGetRuneAt(text, at, out var rune);
            var length = isWhole ? rune.Utf16SequenceLength : 1;
            if (isWhole && IsSeen(rune))
                line.Append(text, at, length);
            else if (text[at] == '\n')
                line.Append("\\n");
            else if (length == 1)
                line.Append("\\u").Append(((int)text[at]).ToString("x4", CultureInfo.InvariantCulture));
            else
                line.Append("\\U").Append(rune.Value.ToString("x8", CultureInfo.InvariantCulture));
            at += length;
        }

        return line.ToString();
    }

    private static bool IsSeen(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned => false,
        UnicodeCategory.SpaceSeparator => rune.Value == ' ',
        // Fillers, the joiner of graphemes, selectors of variants and the blank of Braille, all of which leave no ink.
        _ => rune.Value is not (0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x2800 or 0x3164 or 0xFFA0 or (>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF)),
    };

    private static string Shorten(string text, int longest)
    {
        if (text.Length <= longest)
            return text;
        // Never between the two halves of a character.
        return $"{text[..(char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest)]}…";
    }
}
