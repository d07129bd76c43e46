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
        foreach (var (indices, valid) in data.InOrder())
        {
            using var scope = NewDisposeScope();
            var batch = data.Load(indices);
            var (output, label) = (forward(batch.Inputs)[0], batch.Label);
            if (valid < batch.Count)
                (output, label) = (output.narrow(0, 0, valid), label.narrow(0, 0, valid));
            sum += valid * loss.Of(output, label).to_type(ScalarType.Float64).item<double>();
            count += valid;
            metric.Add(output.ToTensorData(), label.ToTensorData());
        }

        return (sum / count, metric.Value);
    }
}
