using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli;

/// <summary>Scores a written model over samples by ONNX Runtime.</summary>
internal static class OnnxScore
{
    private const int BatchSize = 256;

    /// <summary>The metrics of a loss by name, the main one first.</summary>
    public static IReadOnlyDictionary<string, double> Of(byte[] model, Dataset data, Loss loss, int threads)
    {
        using var session = new OnnxSession(model, new() { Threads = threads });
        var metrics = MetricSet.For(loss.Name);
        var type = loss.IsClassification ? ElementType.Int64 : ElementType.Float32;
        BatchScorer.Run(session, data.Count, BatchSize,
            indices => session.Inputs.ToDictionary(i => i.Name, i => data.Batch(i.Name, indices, i.Type)),
            (outputs, range) =>
            {
                var labels = data.Labels([.. Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value)], type);
                foreach (var metric in metrics)
                    metric.Add(outputs[0], labels);
            });
        return metrics.ToDictionary(m => m.Name, m => m.Value);
    }
}
