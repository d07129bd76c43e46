using System.Globalization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli.Reports;

/// <summary>A row of <c>ranking.json</c>: a finalist of the search, the best first.</summary>
/// <param name="Architecture">Candidate names by label.</param>
/// <param name="Metric">Its metric on the validation samples, with the weights the search leaves; null where it diverged.</param>
/// <param name="Margin">How much better that is than the next one's; null for the last, and where one of both diverged.</param>
/// <param name="Parameters">Elements of its trained tensors.</param>
/// <param name="Macs">Multiply-accumulate operations for one sample.</param>
/// <param name="LatencyMs">Predicted milliseconds for one sample; null where the search did not ask for latency.</param>
internal sealed record RankedArchitecture(IReadOnlyDictionary<string, object> Architecture, double? Metric, double? Margin, long Parameters, long Macs, double? LatencyMs)
{
    /// <summary>The rows of a ranking.</summary>
    public static IReadOnlyList<RankedArchitecture> Of(OneShotTrainer trainer, IReadOnlyList<(Architecture Architecture, double Metric)> ranking, SearchCosts costs)
    {
        var sign = trainer.Task.Metric().HigherIsBetter ? 1 : -1;
        return [.. ranking.Select((r, i) =>
        {
            var cost = costs.Model.Of(r.Architecture);
            return new RankedArchitecture(r.Architecture.ToNames(), OrNull(r.Metric), i + 1 < ranking.Count ? OrNull(sign * (r.Metric - ranking[i + 1].Metric)) : null, cost.Parameters, cost.Macs, costs.KnownLatency?.Table.Of(r.Architecture));
        })];
    }

    /// <summary>The rows for people.</summary>
    public static void Write(TextWriter output, string metric, IReadOnlyList<RankedArchitecture> rows)
    {
        var hasLatency = rows.Any(r => r.LatencyMs is not null);
        string[] columns = ["rank", "architecture", metric, "margin", "parameters", "MACs", .. hasLatency ? ["predicted ms"] : Array.Empty<string>()];
        Tables.Write(output, columns, rows.Select((r, i) => (IReadOnlyList<string>)
        [
            $"{i + 1}", Text(r.Architecture), Score(r.Metric), r.Margin is { } m ? Number(m) : "", Count(r.Parameters), Count(r.Macs),
            .. hasLatency ? [r.LatencyMs is { } ms ? Number(ms) : ""] : Array.Empty<string>(),
        ]));
    }

    /// <summary><c>conv3x3, skip, 0+2</c>: what is chosen, in the order of the choices.</summary>
    internal static string Text(IReadOnlyDictionary<string, object> architecture) =>
        string.Join(", ", architecture.Values.Select(v => v is string[] inputs ? string.Join('+', inputs) : v.ToString()));

    /// <summary>A metric, or that there is none.</summary>
    internal static string Score(double? metric) => metric is { } m ? Number(m) : "diverged";

    internal static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    internal static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    // JSON knows no other numbers.
    private static double? OrNull(double value) => double.IsFinite(value) ? value : null;
}
