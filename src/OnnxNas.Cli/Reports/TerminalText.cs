namespace OnnxNas.Cli.Reports;

/// <summary>Text for a terminal. Names come from files: no control character of theirs must reach it.</summary>
internal static class TerminalText
{
    public static string Of(string text) => new([.. text.Select(c => char.IsControl(c) ? '\uFFFD' : c)]);
}
