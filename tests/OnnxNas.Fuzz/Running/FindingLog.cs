using System.Globalization;
using System.Text.RegularExpressions;

namespace OnnxNas.Fuzz.Running;

/// <summary>Counts how commands ended, and keeps what must not be: one file for each sort of finding, with the command that makes it again.</summary>
internal sealed partial class FindingLog(MutantSource source, string folder, string? parents)
{
    private const int ShownNumbers = 5;
    private const int ShownMessage = 300;

    private readonly Dictionary<(string Verb, string Kind, Outcome Outcome), int> counts = [];
    private readonly Dictionary<string, (Verdict Verdict, List<long> Numbers)> sorts = [];
    private readonly List<Verdict> all = [];
    private (long Count, TimeSpan Time) total;
    private Verdict? slowest;
    private Verdict? largest;

    public MutantSource Source => source;

    public bool HasFindings => sorts.Values.Any(s => s.Verdict.IsFinding);

    public int FindingCount => sorts.Values.Where(s => s.Verdict.IsFinding).Sum(s => s.Numbers.Count);

    public void Add(Mutant mutant, IEnumerable<Verdict> verdicts)
    {
        foreach (var verdict in verdicts)
        {
            all.Add(verdict);
            var key = (verdict.Verb, mutant.Kind, verdict.Outcome);
            counts[key] = counts.GetValueOrDefault(key) + 1;
            slowest = verdict.Outcome != Outcome.Hang && verdict.Milliseconds > (slowest?.Milliseconds ?? 0) ? verdict : slowest;
            largest = verdict.GrowthBytes > (largest?.GrowthBytes ?? 0) ? verdict : largest;
            if (verdict.IsFinding || verdict.Outcome == Outcome.Reported)
                Note(mutant, verdict);
        }
    }

    public void Ended(long count, TimeSpan time) => total = (count, time);

    /// <summary>Writes a mutant's file, with the files beside it; returns its path.</summary>
    public string Keep(Mutant mutant)
    {
        var place = Directory.CreateDirectory(Path.Combine(folder, $"seed{source.Seed}-{mutant.Number}")).FullName;
        foreach (var (name, bytes) in mutant.Parent.Files.Prepend(new("model.onnx", mutant.Bytes)))
            File.WriteAllBytes(Path.Combine(place, name), bytes);
        File.WriteAllText(Path.Combine(place, "README.txt"), $"{mutant}\nAgain: {Command(mutant.Number)}\n");
        return place;
    }

    public void Print(TextWriter output, bool isDetailed)
    {
        if (isDetailed)
        {
            foreach (var v in all)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{v.Verb}: {v.Outcome.ToString().ToLowerInvariant()}, {v.Milliseconds:0} ms, {v.GrowthBytes >> 20} MiB {v.Message} {v.Place}"));
        }

        PrintTable(output, "verb", key => key.Verb);
        PrintTable(output, "kind", key => key.Kind);
        foreach (var (verdict, numbers) in sorts.Values.OrderBy(s => s.Verdict.Outcome).ThenByDescending(s => s.Numbers.Count))
        {
            var shown = verdict.Message.ReplaceLineEndings(" ");
            output.WriteLine($"{verdict.Outcome.ToString().ToUpperInvariant()} {verdict.Verb} x{numbers.Count} at {string.Join(", ", numbers.Take(ShownNumbers))}: {shown[..Math.Min(ShownMessage, shown.Length)]} [{verdict.Place}]");
            output.WriteLine($"    {Command(numbers[0])}");
        }

        if (slowest is not null && largest is not null)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"longest run: {slowest.Milliseconds:0} ms ({slowest.Verb}); largest growth of memory: {largest.GrowthBytes >> 20} MiB ({largest.Verb})"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"seed {source.Seed}, {total.Count} mutants in {total.Time.TotalSeconds:0} s, {total.Count / total.Time.TotalSeconds:0.0} a second: {FindingCount} findings"));
    }

    private void Note(Mutant mutant, Verdict verdict)
    {
        var sort = $"{verdict.Verb} {verdict.Outcome} {verdict.Place} {Particulars().Replace(verdict.Message.Split('\n')[0], "…")}";
        if (!sorts.TryGetValue(sort, out var known))
        {
            sorts[sort] = known = (verdict, []);
            File.AppendAllText(Path.Combine(Keep(mutant), "README.txt"), $"{verdict.Verb}: {verdict.Outcome}: {verdict.Message}\n");
        }

        known.Numbers.Add(mutant.Number);
    }

    private string Command(long number) =>
        $"dotnet run --project tests/OnnxNas.Fuzz -c Release -- --seed {source.Seed} --only {number}{(parents is null ? "" : $" --parents '{parents}'")}";

    private void PrintTable(TextWriter output, string title, Func<(string Verb, string Kind, Outcome Outcome), string> row)
    {
        var outcomes = Enum.GetValues<Outcome>();
        output.WriteLine($"{title,-12}{string.Concat(outcomes.Select(o => $"{o.ToString().ToLowerInvariant(),12}"))}");
        foreach (var group in counts.GroupBy(c => row(c.Key)))
            output.WriteLine($"{group.Key,-12}{string.Concat(outcomes.Select(o => $"{group.Where(c => c.Key.Outcome == o).Sum(c => c.Value),12}"))}");
    }

    // Names and numbers tell two findings of one sort apart.
    [GeneratedRegex("'[^']*'|\"[^\"]*\"|-?[0-9][0-9.,E+-]*|\\[[^\\]]*\\]")]
    private static partial Regex Particulars();
}
