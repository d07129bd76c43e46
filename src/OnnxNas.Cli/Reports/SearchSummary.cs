using System.Globalization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli.Reports;

/// <summary>The scores of a search: of the supernet as it was, and of the pruned winner as ONNX Runtime scores it.</summary>
/// <param name="Name">The metric.</param>
/// <param name="SupernetValid">The supernet, mixed, on the validation samples; null where a trainer has not measured it.</param>
/// <param name="InheritedValid">The winner with the supernet's weights and running statistics of its own, on the validation samples: what the cut costs.</param>
/// <param name="Valid">The written file on the validation samples. Retraining has seen them; with 0 retraining epochs only the architecture has.</param>
/// <param name="Test">The written file on the test samples, which nothing has seen; null where there are none.</param>
/// <param name="TestAll">All metrics of the loss on the test samples.</param>
internal sealed record Scores(string Name, double? SupernetValid, double InheritedValid, double Valid, double? Test, IReadOnlyDictionary<string, double>? TestAll);

/// <summary>The latency of the winner in ONNX Runtime, for one sample and with the threads of the search.</summary>
/// <param name="PredictedMs">What the search reckoned with, in milliseconds.</param>
/// <param name="MeasuredMs">best.onnx, in milliseconds.</param>
/// <param name="LimitMs">The budget, which the prediction keeps; null where there is none.</param>
internal sealed record WinnerLatency(double PredictedMs, double MeasuredMs, double? LimitMs);

/// <summary><c>summary.json</c>.</summary>
internal sealed record SearchSummary(
    string Model,
    string Strategy,
    int Seed,
    string Device,
    int Threads,
    int Epochs,
    int Steps,
    int BatchSize,
    string SpaceSize,
    double SearchSeconds,
    double RetrainSeconds,
    double MsPerStep,
    double PeakRssMb,
    IReadOnlyDictionary<string, object> Architecture,
    Scores Metrics,
    double ParityMaxAbsDiff,
    long Parameters,
    long Macs,
    Cost SmallestSubnet,
    Cost LargestSubnet,
    WinnerLatency? Latency,
    IReadOnlyList<BaselineScore> Baseline)
{
    /// <summary>The report for people.</summary>
    public void Write(TextWriter output, OneShotTrainer trainer, Architecture architecture, IReadOnlyList<RankedArchitecture> ranking, string folder)
    {
        Tables.Write(output, ["choice", "winner", "probability", "runner-up", "margin"], trainer.Task.Space.Choices.Select(c => Row(c, trainer, architecture)));
        if (ranking.Count > 1)
            RankedArchitecture.Write(output, $"{Metrics.Name} on valid", ranking);
        if (Baseline.Count > 0)
            BaselineScore.Write(output, this);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parameters  {Parameters:N0}  (smallest subnet {SmallestSubnet.Parameters:N0}, largest {LargestSubnet.Parameters:N0})"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"MACs        {Macs:N0}  (smallest subnet {SmallestSubnet.Macs:N0}, largest {LargestSubnet.Macs:N0})"));
        if (Latency is { } latency)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"latency     {latency.MeasuredMs:0.0000} ms measured, {latency.PredictedMs:0.0000} predicted  (ONNX Runtime, one sample, {Threads} threads)"));
        if (Latency is { LimitMs: { } limit } over && over.MeasuredMs > limit)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"note        measured, the winner is over --max-latency-ms ({limit:0.0000}), which it keeps as predicted; ask for less, or search on a quiet machine"));
        var test = Metrics.Test is { } score ? score.ToString("0.0000", CultureInfo.InvariantCulture) : "no test samples";
        var supernet = Metrics.SupernetValid is { } valid ? $"supernet on valid {RankedArchitecture.Number(valid)}, " : "";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Metrics.Name,-10}  test {test}  ({supernet}winner with its weights {Metrics.InheritedValid:0.0000})"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parity      max |a-b| {ParityMaxAbsDiff:0.0e0} between ONNX Runtime and the supernet"));
        if (ReachNote.Of(trainer) is { } note)
            output.WriteLine($"note        {note}");
        output.WriteLine($"files       {folder}: best.onnx, arch.json, ranking.json, history.csv, config.json, summary.json");
    }

    private static string[] Row(Choice choice, OneShotTrainer trainer, Architecture architecture)
    {
        var winner = architecture[choice.Label];
        var names = string.Join(", ", winner.Select(i => choice.Candidates[i]));
        var probabilities = trainer.Probabilities(choice);
        if (probabilities.Count == 0)
            return [choice.Label, names, "", "", ""];
        var least = winner.Min(i => probabilities[i]);
        var others = Enumerable.Range(0, probabilities.Count).Except(winner).OrderByDescending(i => probabilities[i]).ToList();
        return
        [
            choice.Label,
            names,
            string.Join(", ", winner.Select(i => probabilities[i].ToString("0.0000", CultureInfo.InvariantCulture))),
            others.Count == 0 ? "" : choice.Candidates[others[0]],
            others.Count == 0 ? "" : (least - probabilities[others[0]]).ToString("0.0000", CultureInfo.InvariantCulture),
        ];
    }
}
