using System.Globalization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli.Reports;

/// <summary>A row of <c>ranking.json</c>: a finalist of the search, the best first.</summary>
/// <param name="Architecture">Candidate names by label.</param>
/// <param name="Metric">Its metric on the validation samples, after the training of finalists; null where it diverged.</param>
/// <param name="Reward">What it is ranked by where cost counts: the metric (its negative, where less is better) with the penalty reckoned in. Null without a penalty, and where it diverged.</param>
/// <param name="Margin">By how much it is better than the next one, in what they are ranked by; null for the last, and where one of both diverged.</param>
/// <param name="Parameters">Elements of its trained tensors.</param>
/// <param name="Macs">Multiply-accumulate operations for one sample.</param>
/// <param name="LatencyMs">Predicted milliseconds for one sample; null where the search did not ask for latency.</param>
internal sealed record RankedArchitecture(IReadOnlyDictionary<string, object> Architecture, double? Metric, double? Reward, double? Margin, long Parameters, long Macs, double? LatencyMs)
{
    /// <summary>The rows of a ranking.</summary>
    public static IReadOnlyList<RankedArchitecture> Of(OneShotTrainer trainer, IReadOnlyList<(Architecture Architecture, double Metric)> ranking, SearchCosts costs)
    {
        double[] rewards = [.. ranking.Select(r => trainer.Reward(r.Architecture, r.Metric))];
        return [.. ranking.Select((r, i) =>
        {
            var cost = costs.Model.Of(r.Architecture);
            var margin = i + 1 < rewards.Length ? OrNull(rewards[i] - rewards[i + 1]) : null;
            return new RankedArchitecture(r.Architecture.ToNames(), OrNull(r.Metric), trainer.Task.Penalty is null ? null : OrNull(rewards[i]), margin, cost.Parameters, cost.Macs, costs.KnownLatency?.Table.Of(r.Architecture));
        })];
    }

    /// <summary>The rows for people.</summary>
    public static void Write(TextWriter output, string metric, IReadOnlyList<RankedArchitecture> rows)
    {
        // Columns without any number are left out.
        (string Name, Func<RankedArchitecture, double?> Of)[] further = [.. new (string, Func<RankedArchitecture, double?> Of)[] { ("reward", r => r.Reward), ("predicted ms", r => r.LatencyMs) }.Where(c => rows.Any(r => c.Of(r) is not null))];
        Tables.Write(output, ["rank", "architecture", metric, "margin", "parameters", "MACs", .. further.Select(c => c.Name)], rows.Select((r, i) => (IReadOnlyList<string>)
        [
            $"{i + 1}", Text(r.Architecture), Score(r.Metric), r.Margin is { } m ? Number(m) : "", Count(r.Parameters), Count(r.Macs), .. further.Select(c => c.Of(r) is { } n ? Number(n) : ""),
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
