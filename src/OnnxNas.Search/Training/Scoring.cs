using OnnxNas.Operators.Execution;
using OnnxNas.Search.Metrics;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Loss and metric of a model as it is, in evaluation mode.</summary>
internal static class Scoring
{
    public static (double Loss, double Metric) Score(GraphModule module, Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyList<Tensor>> forward, BatchLoader data, Loss loss, Metric metric)
    {
        module.Training = false;
        using var off = no_grad();
        var (sum, count) = (0.0, 0);
        foreach (var indices in data.InOrder())
        {
            using var scope = NewDisposeScope();
            var batch = data.Load(indices);
            var output = forward(batch.Inputs)[0];
            sum += batch.Count * loss.Of(output, batch.Label).to_type(ScalarType.Float64).item<double>();
            count += batch.Count;
            metric.Add(output.ToTensorData(), batch.Label.ToTensorData());
        }

        return (sum / count, metric.Value);
    }
}
