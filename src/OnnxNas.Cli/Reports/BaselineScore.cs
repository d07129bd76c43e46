namespace OnnxNas.Cli.Reports;

/// <summary>A random architecture, trained the same way as the winner, as ONNX Runtime scores it.</summary>
/// <param name="Architecture">Candidate names by label.</param>
/// <param name="Valid">On the validation samples, which retraining has seen; null where it diverged.</param>
/// <param name="Test">On the test samples; null where there are none, or it diverged.</param>
/// <param name="Parameters">Elements of its trained tensors.</param>
/// <param name="Macs">Multiply-accumulate operations for one sample.</param>
internal sealed record BaselineScore(IReadOnlyDictionary<string, object> Architecture, double? Valid, double? Test, long Parameters, long Macs)
{
    /// <summary>The winner beside those it is compared with.</summary>
    public static void Write(TextWriter output, SearchSummary summary) => Tables.Write(output, ["trained alike", "architecture", $"{summary.Metrics.Name} on valid", "on test", "parameters", "MACs"],
        summary.Baseline.Prepend(new(summary.Architecture, summary.Metrics.Valid, summary.Metrics.Test, summary.Parameters, summary.Macs)).Select((b, i) => (IReadOnlyList<string>)
        [
            i == 0 ? "winner" : $"random {i}", RankedArchitecture.Text(b.Architecture), RankedArchitecture.Score(b.Valid),
            b.Test is { } test ? RankedArchitecture.Number(test) : "", RankedArchitecture.Count(b.Parameters), RankedArchitecture.Count(b.Macs),
        ]));
}
