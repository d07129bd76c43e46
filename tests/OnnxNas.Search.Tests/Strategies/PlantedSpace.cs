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
/// Spaces where skip is tempting and wrong: four choices side by side, each between its input x and an MLP of it, and each with targets of its own, a·x + f(x) and noise, f(x) = (|x| − E|x|)/σ
/// being uncorrelated with x. So a skip leaves an error of 1 or more, and an MLP next to none once it has learnt.
/// </summary>
/// <param name="Linear">a.</param>
/// <param name="Noise">The deviation of the noise in the targets that are trained and searched on.</param>
/// <param name="Hidden">Width of the MLPs.</param>
/// <param name="Layers">Their linear layers.</param>
/// <param name="Samples">Training samples.</param>
/// <param name="Options">How to search.</param>
internal sealed record PlantedSpace(double Linear, double Noise, int Hidden, int Layers, int Samples, SearchOptions Options)
{
    public const int Choices = 4;
    private const int Width = 2;
    private const int ValidSamples = 256;

    /// <summary>
    /// What a skip gives at once is half of the target, and an MLP has to learn it, the slower the less weight it has: the skip wins before the MLP has learnt anything.
    /// </summary>
    public static PlantedSpace SlowStart { get; } = new(Linear: 1, Noise: 0, Hidden: 16, Layers: 3, Samples: 256, new() { Epochs = 40, BatchSize = 32, Lr = 0.05, ArchLr = 0.1 });

    /// <summary>
    /// A skip gives nothing at all, and the MLPs have few and noisy samples to learn from: α leans towards them first, and when they learn the noise by heart goes over to the skip, which
    /// at least does not.
    /// </summary>
    public static PlantedSpace Overfitting { get; } = new(Linear: 0, Noise: 1.5, Hidden: 32, Layers: 2, Samples: 24, new() { Epochs = 60, BatchSize = 8, Lr = 0.1, ArchLr = 0.03 });

    /// <summary>The choices that a search by darts decides for the skip, and its epochs.</summary>
    public (int Skips, int Epochs) Search(int seed, Func<SearchOptions, SearchOptions>? guard = null)
    {
        var options = Options with { Strategy = "darts", Seed = seed };
        var ear = new SmallTask();
        var task = new TrainingTask(SearchSpace.Read(Model(seed)), Data(Samples, 100 + seed, Noise), Data(ValidSamples, 200 + seed, Noise), Loss.Named("mse"),
            () => MetricSet.Default("mse"), guard?.Invoke(options) ?? options, ear, CPU, default);
        using var darts = StrategyCatalog.Create("darts", task);
        darts.Fit();
        return (darts.Export().Selections.Values.Count(s => s[0] == 0), ear.Epochs.Count);
    }

    /// <summary>The error without noise, on other samples, of an architecture with the same decision everywhere, trained alone on all samples of a search.</summary>
    public double Alone(int candidate, int seed)
    {
        using var scope = NewDisposeScope();
        var marked = Model(seed);
        var space = SearchSpace.Read(marked);
        var model = Pruner.Prune(marked, new(space, space.Choices.ToDictionary(c => c.Label, _ => (IReadOnlyList<int>)[candidate])));
        new WinnerTrainer(Options with { Seed = seed }, Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, default).Fit(model, Data(Samples + ValidSamples, 300 + seed, Noise), Options.Epochs);
        using var module = new GraphModule(model);
        var batch = new BatchLoader(Data(500, 400 + seed, 0), model.Graph, Loss.Named("mse"), 500, 0, CPU).Load([.. Enumerable.Range(0, 500)]);
        return nn.functional.mse_loss(module.Forward(batch.Inputs)[0], batch.Label).item<float>();
    }

    private Model Model(int seed)
    {
        var net = new NetBuilder();
        var random = new SeededRandom(seed, 77);
        var outputs = Enumerable.Range(0, Choices).Select(i =>
        {
            var x = net.Input($"x{i}", Dim.Symbol("N"), Width);
            var (y, from) = (x, Width);
            for (var j = 1; j <= Layers; j++)
            {
                y = Affine($"mlp{i}.{j}", j > 1 ? net.Op("Relu", y) : y, from, j < Layers ? Hidden : Width);
                from = Hidden;
            }

            return net.LayerChoice($"c{i}", ["skip", "mlp"], x, y);
        }).ToArray();
        return net.Build((net.Op("Concat", outputs, Attr.Of("axis", 1L)), [Dim.Symbol("N"), Choices * Width]));

        Value Affine(string name, Value x, int from, int to) =>
            net.Op("Gemm", x, net.Constant($"{name}.weight", [from, to], _ => 0.5 * random.NextGaussian() / Math.Sqrt(from)), net.Constant($"{name}.bias", [to], _ => 0));
    }

    private Dataset Data(int count, long seed, double noise)
    {
        var random = new SeededRandom(seed);
        var x = Enumerable.Range(0, Choices).Select(_ => new float[count * Width]).ToArray();
        var y = new float[count * Choices * Width];
        for (var k = 0; k < y.Length; k++)
        {
            var (sample, choice, column) = (k / (Choices * Width), k / Width % Choices, k % Width);
            var v = random.NextGaussian();
            x[choice][sample * Width + column] = (float)v;
            y[k] = (float)(Linear * v + (Math.Abs(v) - Math.Sqrt(2 / Math.PI)) / Math.Sqrt(1 - 2 / Math.PI) + noise * random.NextGaussian());
        }

        return Dataset.FromTensors(x.Index().ToDictionary(p => $"x{p.Index}", p => TensorData.Create<float>([count, Width], p.Item)), TensorData.Create<float>([count, Choices * Width], y));
    }
}
