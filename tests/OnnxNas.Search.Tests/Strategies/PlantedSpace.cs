using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>
/// A space where skip is tempting and wrong: four choices side by side, each between its input x and a net n(x) = W·|V·x| + b, and each with targets of its own, a·x + s·f(x), where
/// f(x) = (|x| − E|x|)/σ is uncorrelated with x. A net alone learns s·f and leaves an error of a², the smaller part; a skip alone leaves (1 − a)² + s². But the two together
/// leave nothing, p·x + (1 − p)·n(x) with p = a, and a is above ½: what is best for the supernet has the skip as its arg-max. So α first leans towards the nets, which find s·f in the first
/// epochs, and then goes over to the skips.
/// </summary>
internal static class PlantedSpace
{
    public const int Choices = 4;
    public const int Epochs = 60;
    private const double Linear = 0.75;
    private const double Scale = 1.4;
    private const int Width = 4;
    private const int Hidden = 32;
    private const int Samples = 256;
    private const int ValidSamples = 512;

    /// <summary>The choices that a search by darts decides for the skip, and its epochs.</summary>
    public static (int Skips, int Epochs) Search(int seed, Func<SearchOptions, SearchOptions>? guard = null)
    {
        var options = Options(seed);
        var ear = new SmallTask();
        var task = new TrainingTask(SearchSpace.Read(Model(seed)), Data(Samples, 100 + seed), Data(ValidSamples, 200 + seed), Loss.Named("mse"),
            () => MetricSet.Default("mse"), guard?.Invoke(options) ?? options, ear, CPU, default);
        using var darts = StrategyCatalog.Create("darts", task);
        darts.Fit();
        return (darts.Export().Selections.Values.Count(s => s[0] == 0), ear.Epochs.Count);
    }

    /// <summary>The error on other samples of an architecture with the same decision everywhere, trained alone on all samples of a search.</summary>
    public static double Alone(int candidate, int seed)
    {
        using var scope = NewDisposeScope();
        var marked = Model(seed);
        var space = SearchSpace.Read(marked);
        var model = Pruner.Prune(marked, new(space, space.Choices.ToDictionary(c => c.Label, _ => (IReadOnlyList<int>)[candidate])));
        new WinnerTrainer(Options(seed), Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, default).Fit(model, Data(Samples + ValidSamples, 300 + seed), Epochs);
        using var module = new GraphModule(model);
        var batch = new BatchLoader(Data(500, 400 + seed), model.Graph, Loss.Named("mse"), 500, 0, CPU).Load([.. Enumerable.Range(0, 500)]);
        return nn.functional.mse_loss(module.Forward(batch.Inputs)[0], batch.Label).item<float>();
    }

    private static SearchOptions Options(int seed) => new() { Strategy = "darts", Seed = seed, Epochs = Epochs, BatchSize = 16, Lr = 0.1, ArchLr = 0.03 };

    private static Model Model(int seed)
    {
        var net = new NetBuilder();
        var random = new SeededRandom(seed, 77);
        var outputs = Enumerable.Range(0, Choices).Select(i =>
        {
            var x = net.Input($"x{i}", Dim.Symbol("N"), Width);
            var hidden = net.Op("Abs", net.Op("MatMul", x, Weight($"net{i}.1.weight", Width, Hidden)));
            var y = net.Op("Gemm", hidden, Weight($"net{i}.2.weight", Hidden, Width), net.Constant($"net{i}.2.bias", [Width], _ => 0));
            return net.LayerChoice($"c{i}", ["skip", "net"], x, y);
        }).ToArray();
        return net.Build((net.Op("Concat", outputs, Attr.Of("axis", 1L)), [Dim.Symbol("N"), Choices * Width]));

        Value Weight(string name, int from, int to) => net.Constant(name, [from, to], _ => 0.5 * random.NextGaussian() / Math.Sqrt(from));
    }

    private static Dataset Data(int count, long seed)
    {
        var random = new SeededRandom(seed);
        var x = Enumerable.Range(0, Choices).Select(_ => new float[count * Width]).ToArray();
        var y = new float[count * Choices * Width];
        for (var k = 0; k < y.Length; k++)
        {
            var (sample, choice, column) = (k / (Choices * Width), k / Width % Choices, k % Width);
            var v = random.NextGaussian();
            x[choice][sample * Width + column] = (float)v;
            y[k] = (float)(Linear * v + Scale * (Math.Abs(v) - Math.Sqrt(2 / Math.PI)) / Math.Sqrt(1 - 2 / Math.PI));
        }

        return Dataset.FromTensors(x.Index().ToDictionary(p => $"x{p.Index}", p => TensorData.Create<float>([count, Width], p.Item)), TensorData.Create<float>([count, Choices * Width], y));
    }
}
