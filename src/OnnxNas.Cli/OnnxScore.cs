using OnnxNas.Evaluation;
using OnnxNas.Search.Data;
using OnnxNas.Search.Objectives;

namespace OnnxNas.Cli;

/// <summary>Scores a written model over samples by ONNX Runtime.</summary>
internal static class OnnxScore
{
    private const int BatchSize = 256;

    /// <summary>The metrics of an objective by name, the main one first: of the output of the file, in the form that it has there.</summary>
    public static IReadOnlyDictionary<string, double> Of(byte[] model, Dataset data, Objective objective, int threads)
    {
        using var session = new OnnxSession(model, new() { Threads = threads });
        var metrics = objective.NewFileMetrics();
        BatchScorer.Run(session, data.Count, BatchSize,
            indices => session.Inputs.ToDictionary(i => i.Name, i => data.Batch(i.Name, indices, i.Type)),
            (outputs, range) =>
            {
                var labels = data.Labels([.. Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value)], objective.Loss.LabelType);
                var (predictions, expected) = objective.Scores(outputs[0], labels);
                foreach (var metric in metrics)
                    metric.Add(predictions, expected);
            },
            [objective.Scored.Output.Name]);
        return metrics.ToDictionary(m => m.Name, m => m.Value);
    }
}
