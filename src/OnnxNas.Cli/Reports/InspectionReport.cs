using System.Globalization;
using OnnxNas.Ir;

namespace OnnxNas.Cli.Reports;

/// <summary>An inspection for people.</summary>
internal static class InspectionReport
{
    private const int MostNames = 3;
    private const int MostFacts = 8;
    private const int MostCandidates = 50;
    private const int LongestText = 150;
    private const int MostChoices = 200;

    public static void Write(Inspection facts, TextWriter output)
    {
        foreach (var value in facts.Inputs)
            output.WriteLine(Printable.Message($"input       {Text(value)}"));
        foreach (var value in facts.Outputs)
            output.WriteLine(Printable.Message($"output      {Text(value)}"));
        foreach (var end in facts.Ends)
            output.WriteLine(Printable.Message($"end         {end.Output}: {Text(end)}"));
        output.WriteLine($"opset       {facts.Opset}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parameters  {facts.Parameters:N0}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"MACs        {facts.Macs:N0} (one sample, all candidates)"));
        foreach (var line in facts.Assumed)
            output.WriteLine(Printable.Message($"assumed     {line}"));
        output.WriteLine($"space       {facts.SpaceInShort} architectures");
        if (facts.Choices.Count > 0)
        {
            Tables.Write(output, ["choice", "kind", "candidates", "chosen", "markers"],
                facts.Choices.Take(MostChoices).Select(c => new[] { c.Label, c.Kind, Candidates(c), Chosen(c), c.Nodes.Count.ToString(CultureInfo.InvariantCulture) }));
        }

        if (facts.Choices.Count > MostChoices)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"            {facts.Choices.Count - MostChoices} more choices, which --json lists."));
        foreach (var line in facts.Unsupported)
            output.WriteLine(Printable.Message($"unsupported {line}"));
        foreach (var found in facts.Import.GroupBy(f => f.Pass))
        {
            foreach (var fact in found.Take(MostFacts))
                output.WriteLine(Printable.Message($"import      {fact.Pass}{(fact.Action == "refused" ? " refused" : "")}: {Subjects(fact.Subjects)}: {fact.Message}"));
            if (found.Count() > MostFacts)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"import      {found.Key}: {found.Count() - MostFacts} more, which --json lists."));
        }

        foreach (var same in facts.NotTrained.GroupBy(f => f.Reason))
            output.WriteLine(Printable.Message($"not trained {Subjects([.. same.Select(f => f.Name)])}: {same.Key}."));
        foreach (var line in facts.Warnings)
            output.WriteLine(Printable.Message($"warning     {line}"));
    }

    private static string Text(EndFacts end)
    {
        var text = end.Form switch
        {
            "probabilities" => "probabilities",
            "log_probabilities" => "logarithms of probabilities",
            "classes" => "class numbers",
            _ => "plain numbers (logits, or values to predict)",
        };
        if (end.MadeBy is not null)
            text += $", by {end.MadeBy}";
        if (end.ClassAxis is { } axis)
            text += string.Create(CultureInfo.InvariantCulture, $" of classes along axis {axis}");
        if (end.Scores is not null)
            text += $"; {(end.MadeBy is "Cast" ? "a loss" : "a loss for classes")} is applied to '{end.Scores}' in front of it";
        return end.Untrainable is null ? text : $"{text}; it cannot be trained: {end.Untrainable}";
    }

    /// <summary>The first few names: the list can be as long as the model.</summary>
    public static string Subjects(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNames).Select(n => $"'{n}'")) + (names.Count > MostNames ? string.Create(CultureInfo.InvariantCulture, $" and {names.Count - MostNames} more") : "");

    // A file may give a dimension any text.
    private static string Text(ValueFacts value) => $"{Short(value.Name)}: {value.Type}{(value.Shape is { } shape ? Short(shape) : "")}";

    private static string Short(string text) => text.Length <= LongestText ? text : $"{text[..LongestText]}…";

    private static string Candidates(ChoiceFacts choice) =>
        string.Join(", ", choice.Candidates.Take(MostCandidates)) + (choice.Candidates.Count > MostCandidates ? string.Create(CultureInfo.InvariantCulture, $" and {choice.Candidates.Count - MostCandidates} more") : "");

    private static string Chosen(ChoiceFacts choice) => choice.Reduction is null ? "1" : $"{(choice.NChosen == 0 ? "any" : choice.NChosen)}, {choice.Reduction}";
}
