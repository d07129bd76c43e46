using OnnxNas.Ir;
using Spectre.Console;

namespace OnnxNas.Cli.Reports;

/// <summary>Tables for people, the same on a terminal and in a file.</summary>
internal static class Tables
{
    private const int Width = 140;

    public static void Write(TextWriter output, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = Width;
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Text(column)));
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(Printable.Message(cell))));
        console.Write(table);
    }
}
