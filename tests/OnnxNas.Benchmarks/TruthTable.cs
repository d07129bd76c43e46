using System.Globalization;
using System.Text;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;

namespace OnnxNas.Benchmarks;

/// <summary>One architecture, trained alone once per seed.</summary>
/// <param name="Architecture">Its decisions, <c>a=skip b=none</c>.</param>
/// <param name="Scores">The test metric of each seed.</param>
internal sealed record TruthRow(string Architecture, IReadOnlyList<double> Scores)
{
    /// <summary>What architectures are ranked by.</summary>
    public double Mean => Math.Round(Scores.Average(), TruthTable.Digits + 1);
}

/// <summary>
/// How good every architecture of a space is, to four digits. As a file: a column for each label, one for each seed, the mean, and the rank, which is 1 for the best; equal means
/// share a rank. Mean and rank are for the reader of the file: they are computed from the other columns when it is written, and not read.
/// </summary>
internal sealed class TruthTable
{
    /// <summary>Decimals of a score. The mean has one more.</summary>
    public const int Digits = 4;

    private const string SeedPrefix = "seed_";
    private readonly IReadOnlyList<string> labels;
    private readonly int seeds;
    private readonly OrderedDictionary<string, TruthRow> rows = [];

    /// <summary>An empty table.</summary>
    public TruthTable(IReadOnlyList<string> labels, int seeds) => (this.labels, this.seeds) = (labels, seeds);

    /// <summary>The architectures in the order they were added.</summary>
    public IReadOnlyList<TruthRow> Rows => [.. rows.Values];

    /// <summary>The highest mean.</summary>
    public double Best => rows.Values.Max(r => r.Mean);

    private string Header => string.Join(',', [.. labels, .. Enumerable.Range(0, seeds).Select(i => $"{SeedPrefix}{i}"), "mean", "rank"]);

    /// <summary>The row of an architecture, or null.</summary>
    public TruthRow? Find(Architecture architecture) => rows.GetValueOrDefault(architecture.ToString());

    /// <summary>The share of architectures that are better: 0 for the best.</summary>
    public double Percentile(TruthRow row) => (Rank(row) - 1.0) / rows.Count;

    /// <summary>1 for the best.</summary>
    public int Rank(TruthRow row) => 1 + rows.Values.Count(r => r.Mean > row.Mean);

    /// <summary>Adds an architecture.</summary>
    /// <exception cref="DataException">It is there already, or the number of scores is another.</exception>
    public void Add(TruthRow row)
    {
        if (row.Scores.Count != seeds)
            throw new DataException($"'{row.Architecture}' has {row.Scores.Count} scores in a table of {seeds} seeds.");
        if (!rows.TryAdd(row.Architecture, row with { Scores = [.. row.Scores.Select(s => Math.Round(s, Digits))] }))
            throw new DataException($"'{row.Architecture}' is in the table twice.");
    }

    /// <summary>Reads a table.</summary>
    /// <exception cref="DataException">The file is no such table.</exception>
    public static TruthTable Read(string path)
    {
        var lines = File.ReadAllLines(path);
        var header = lines.FirstOrDefault()?.Split(',') ?? [];
        var table = new TruthTable([.. header.TakeWhile(h => !h.StartsWith(SeedPrefix, StringComparison.Ordinal))], header.Count(h => h.StartsWith(SeedPrefix, StringComparison.Ordinal)));
        if (table.seeds == 0 || lines[0] != table.Header)
            throw new DataException($"'{path}' begins with '{lines.FirstOrDefault()}'; a table of architectures begins with their labels, then seed_0 and so on, mean, rank.");
        foreach (var line in lines.Skip(1))
        {
            var cells = line.Split(',');
            if (cells.Length != header.Length)
                throw new DataException($"'{path}' has the line '{line}' of {cells.Length} columns; its first line has {header.Length}.");
            var decisions = table.labels.Zip(cells, (label, candidate) => $"{label}={candidate}");
            table.Add(new(string.Join(' ', decisions), [.. cells.Skip(table.labels.Count).Take(table.seeds).Select(c => double.Parse(c, CultureInfo.InvariantCulture))]));
        }

        return table;
    }

    /// <summary>Writes the table.</summary>
    public void Write(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(ToString())));

    /// <summary>The text of the file.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (var row in rows.Values)
        {
            var decisions = row.Architecture.Split(' ').Select(d => d[(d.IndexOf('=') + 1)..]);
            text.Append(string.Join(',', [.. decisions, .. row.Scores.Select(s => Number(s, "0.0000")), Number(row.Mean, "0.00000"), Number(Rank(row), "0")])).Append('\n');
        }

        return text.ToString();
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
