using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

/// <summary>Averages by hand in float64, of numbers and of a whole retraining.</summary>
[TestClass]
public sealed class WeightAveragesTests
{
    private const int Epochs = 3;
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly SearchOptions Options = new() { BatchSize = 8, Seed = 5, Lr = 0.1, MinLr = 0.1, Ema = 0.4 };

    public enum Fault
    {
        None,
        NoWarmUp,
        Swapped,
        StepsFromZero,
    }

    [TestMethod]
    public void An_average_is_that_of_the_formula()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new[] { 3.0 }));
        using var averages = new WeightAverages(new Dictionary<string, Parameter> { ["w"] = weight }, 0.5);
        var walk = Enumerable.Range(1, 12).Select(t => Math.Sin(t)).ToArray();
        foreach (var (t, value) in walk.Index())
        {
            using (no_grad())
                weight.fill_(value);
            averages.Add(t + 1);
        }

        Assert.AreEqual(walk[^1], weight.item<double>());
        averages.Replace();
        var average = weight.item<double>();
        Assert.AreEqual(ByHand(3, walk, 0.5, Fault.None), average, 1e-14);
        foreach (var fault in (Fault[])[Fault.NoWarmUp, Fault.Swapped, Fault.StepsFromZero])
            Assert.IsGreaterThan(1e-5, Math.Abs(ByHand(3, walk, 0.5, fault) - average), $"{fault}");
    }

    [TestMethod]
    public void Retraining_ends_with_the_averages_of_its_weights_and_with_statistics_of_those()
    {
        var model = Net();
        var data = SmallTask.Data(model, 24, 1);
        var (averages, last, loader) = Walk(model, data);
        Trainer(Options).Fit(model, data, Epochs);
        foreach (var (name, expected) in averages)
            AssertClose(expected, model.Graph.Find(name)!.Initializer!.ToDoubles(), name);

        // Columns of x·W + b, batch by batch.
        var (mean, variance) = Statistics(averages, data, loader);
        AssertClose(mean, model.Graph.Find("bn.mean")!.Initializer!.ToDoubles(), "mean");
        AssertClose(variance, model.Graph.Find("bn.var")!.Initializer!.ToDoubles(), "variance");

        // The mutants that keep the last weights, or take statistics of those.
        Assert.IsGreaterThan(1e-3, averages.Max(a => a.Value.Zip(last[a.Key]).Max(p => Math.Abs(p.First - p.Second))));
        Assert.IsGreaterThan(1e-3, mean.Zip(Statistics(last, data, loader).Mean).Max(p => Math.Abs(p.First - p.Second)));

        var without = Net();
        Trainer(Options with { Ema = 0 }).Fit(without, data, Epochs);
        foreach (var (name, expected) in last)
            AssertClose(expected, without.Graph.Find(name)!.Initializer!.ToDoubles(), name);
    }

    [TestMethod]
    public void The_mutant_that_loses_an_average_ends_otherwise()
    {
        var whole = Net();
        var checkpoints = new List<CheckpointState>();
        Trainer(Options, new(checkpoints.Add)).Fit(whole, SmallTask.Data(whole, 24, 1), Epochs);
        foreach (var lost in (string?[])[null, "retrain/averages/l.weight"])
        {
            var tensors = checkpoints[0].Tensors.ToDictionary();
            if (lost is not null)
                tensors[lost] = TensorData.FromBytes(tensors[lost].Type, tensors[lost].Dims, new byte[tensors[lost].Bytes.Length]);
            var resumed = Net();
            Trainer(Options, new(_ => { }, new(tensors, checkpoints[0].Values))).Fit(resumed, SmallTask.Data(resumed, 24, 1), Epochs);
            Assert.AreEqual(lost is null, OnnxFile.ToBytes(whole).SequenceEqual(OnnxFile.ToBytes(resumed)));
        }
    }

    private static double ByHand(double start, double[] walk, double decay, Fault fault)
    {
        var average = start;
        for (var t = 1; t <= walk.Length; t++)
        {
            var step = fault == Fault.StepsFromZero ? t - 1 : t;
            var d = fault == Fault.NoWarmUp ? decay : Math.Min(decay, (1.0 + step) / (10 + step));
            average = fault == Fault.Swapped ? (1 - d) * average + d * walk[t - 1] : d * average + (1 - d) * walk[t - 1];
        }

        return average;
    }

    // The same training step by step: the averages, and the last weights.
    private static (Dictionary<string, double[]> Averages, Dictionary<string, double[]> Last, BatchLoader Loader) Walk(Model model, Dataset data)
    {
        using var scope = NewDisposeScope();
        using var plain = new GraphModule(model.Clone()) { Training = true };
        var loader = new BatchLoader(data, model.Graph, Loss.Named("mse"), Options.BatchSize, Options.Seed + 2, CPU);
        using var sgd = Options.NewWeightOptimizer(plain.Parameters.Values);
        var walks = plain.Parameters.ToDictionary(p => p.Key, p => new List<double[]> { p.Value.ToTensorData().ToDoubles() });
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            foreach (var indices in loader.Shuffled(epoch))
            {
                var batch = loader.Load(indices);
                GradientStep.Apply((plain.Forward(batch.Inputs)[0] - batch.Label).square().mean(), sgd, Options.GradClip, Options.Lr, "");
                foreach (var (name, walk) in walks)
                    walk.Add(plain.Parameters[name].ToTensorData().ToDoubles());
            }
        }

        return (
            walks.ToDictionary(w => w.Key, w => Enumerable.Range(0, w.Value[0].Length).Select(i => ByHand(w.Value[0][i], [.. w.Value.Skip(1).Select(v => v[i])], Options.Ema, Fault.None)).ToArray()),
            walks.ToDictionary(w => w.Key, w => w.Value[^1]), loader);
    }

    private static (double[] Mean, double[] Variance) Statistics(Dictionary<string, double[]> weights, Dataset data, BatchLoader loader)
    {
        double Before(int sample, int column)
        {
            var x = data.Batch("x", [sample], ElementType.Float64).ToDoubles();
            return weights["l.bias"][column] + Enumerable.Range(0, 4).Sum(k => x[k] * weights["l.weight"][k * 3 + column]);
        }

        var batches = loader.Shuffled(0).ToList();
        double[] Of(Func<double[], double> statistic) => [.. Enumerable.Range(0, 3).Select(c => batches.Average(b => statistic([.. b.Select(s => Before(s, c))])))];
        return (Of(v => v.Average()), Of(v => v.Average(e => Math.Pow(e - v.Average(), 2))));
    }

    private static void AssertClose(double[] expected, double[] actual, string name)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-12, name);
    }

    private static WinnerTrainer Trainer(SearchOptions options, Checkpointer? checkpointer = null) =>
        new(options, Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, default, checkpointer);

    private static Model Net()
    {
        var net = new NetBuilder(2, ElementType.Float64);
        return net.Build((net.Linear("head", net.BatchNorm("bn", net.Linear("l", net.Input("x", N, 4), 4, 3), 3), 3, 2), [N, 2]));
    }
}
