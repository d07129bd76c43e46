using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

/// <summary>Tasks on a few random samples, and an ear for their progress.</summary>
internal sealed class SmallTask : ITrainingProgress
{
    public List<EpochReport> Epochs { get; } = [];

    public List<double> Losses { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>Called after each step.</summary>
    public Action AfterStep { get; set; } = () => { };

    /// <summary>Random samples for a model, with targets of its first output's width, or class indices.</summary>
    public static Dataset Data(Model model, int count, long seed, int classes = 0)
    {
        var inputs = model.Graph.Inputs.Select((v, i) => (v.Name, Data: Numbers(v, count, seed + i))).ToDictionary(p => p.Name, p => p.Data);
        return Dataset.FromTensors(inputs, classes > 0 ? TestTensors.Int64s(seed + 100, 0, classes, count) : Numbers(model.Graph.Outputs[0], count, seed + 100));
    }

    public static TrainingTask Of(Model model, SearchOptions options, ITrainingProgress? ear = null, int samples = 32, int classes = 0, Checkpointer? checkpointer = null, CancellationToken cancellation = default)
    {
        var loss = Loss.Named(classes > 0 ? "cross-entropy" : "mse");
        return new(SearchSpace.Read(model), Data(model, samples, 1, classes), Data(model, samples, 2, classes), loss, () => MetricSet.Default(loss.Name), options, ear ?? new SmallTask(), CPU, cancellation, checkpointer);
    }

    /// <summary>
    /// A choice of linear layers: "calm" ones, "steep" ones whose weights overflow at their first step where no gradient is clipped, and "wild" ones whose outputs overflow. The last candidate is the identity.
    /// </summary>
    public static Model WildNet(params string[] kinds)
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var candidates = kinds.Select((kind, i) =>
        {
            var y = net.Linear($"{kind}{i}", x, 4, 4);
            return kind switch
            {
                "steep" => net.Op("Mul", y, net.Constant($"factor{i}", [], _ => 1e18)),
                "wild" => net.Op("Exp", net.Op("Exp", net.Op("Mul", y, net.Constant($"factor{i}", [], _ => 1000)))),
                _ => y,
            };
        });
        return net.Build((net.LayerChoice("op", null, [.. candidates, x]), [Dim.Symbol("N"), 4]));
    }

    public void Step(string phase, int step, int steps, double loss, double milliseconds)
    {
        Losses.Add(loss);
        AfterStep();
    }

    public void Epoch(EpochReport report) => Epochs.Add(report);

    public void Note(string text) => Notes.Add(text);

    private static TensorData Numbers(Value value, int count, long seed) =>
        TestTensors.Normal(seed, [count, .. value.Shape!.Skip(1).Select(d => d.Value)]).As(value.Element);
}
