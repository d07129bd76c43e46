using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Costs;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>What holds for every strategy of the catalog.</summary>
[TestClass]
public sealed class EveryStrategyTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly SearchOptions Options = new() { Epochs = 2, BatchSize = 8, Seed = 3, ArchLr = 0.05, Population = 4, Generations = 2 };

    public static IEnumerable<object[]> Strategies => StrategyCatalog.All.Select(s => new object[] { s.Name });

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void Nested_choices_shared_labels_and_inputs_are_searched_and_the_same_seed_gives_the_same_bits(string strategy)
    {
        foreach (var reduction in (string[])["mean", "sum"])
        {
            var (one, other) = (Run(strategy, Rich(reduction), 3), Run(strategy, Rich(reduction), 3));
            Assert.AreEqual(one.Architecture, other.Architecture);
            CollectionAssert.AreEqual(one.State, other.State);
        }

        var first = Run(strategy, Rich("mean"), 3);
        CollectionAssert.AreNotEqual(first.State, Run(strategy, Rich("mean"), 4).State);
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void Inputs_that_concatenate_are_searched_by_sampling_and_refused_by_name_before_training_by_gradients(string strategy)
    {
        if (strategy is not ("darts" or "gumbel" or "gdas" or "proxyless" or "pc-darts"))
        {
            Assert.HasCount(4, Run(strategy, Rich("concat"), 3).Architecture.Selections);
            return;
        }

        var message = Assert.ThrowsExactly<ChoiceException>(() => StrategyCatalog.Create(strategy, SmallTask.Of(Rich("concat"), Options with { Strategy = strategy }))).Message;
        Assert.Contains("inputs", message);
        Assert.Contains("concat", message);
        Assert.Contains(strategy, message);
    }

    [TestMethod]
    [DataRow("darts", false), DataRow("darts", true), DataRow("gumbel", false), DataRow("gdas", false), DataRow("proxyless", false), DataRow("proxyless", true), DataRow("pc-darts", false)]
    public void A_step_of_the_architecture_leaves_the_weights_and_a_step_of_the_weights_the_architecture_bit_for_bit(string strategy, bool further)
    {
        using var trainer = (GradientTrainer)StrategyCatalog.Create(strategy, SmallTask.Of(Rich("sum"), Options with { Strategy = strategy, Unrolled = further, ProxylessGradient = further ? "full" : "two-path", WeightDecay = 0.1 }, samples: 128));
        using var weights = trainer.Weights = trainer.Task.Options.NewWeightOptimizer(trainer.Supernet.Weights);
        using var alphas = trainer.Alphas = new AdamOptimizer(trainer.Supernet.ArchitectureParameters, 0.05, 0.5, 0.999, weightDecay: 0.1);
        foreach (var (train, valid) in trainer.Task.Batches(0))
        {
            var (w, a) = (Weights(), Architecture());
            trainer.StepArchitecture(train, valid);
            CollectionAssert.AreEqual(w, Weights());
            CollectionAssert.AreNotEqual(a, Architecture());
            a = Architecture();
            trainer.StepWeights(train);
            CollectionAssert.AreEqual(a, Architecture());
            CollectionAssert.AreNotEqual(w, Weights());
        }

        // With all that the optimizers keep.
        byte[] Weights() => Bytes([.. weights.Parameters, .. weights.Parameters.Select((_, i) => weights.State(i, 0)), .. trainer.Supernet.Module.Buffers.Values]);
        byte[] Architecture() => Bytes([.. alphas.Parameters, .. alphas.Parameters.SelectMany((_, i) => new[] { alphas.State(i, 0), alphas.State(i, 1) })]);
        static byte[] Bytes(TorchSharp.torch.Tensor[] tensors) => [.. tensors.SelectMany(t => t.ToTensorData().Bytes.ToArray())];
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_search_finds_the_candidate_that_fits_the_targets(string strategy)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var model = net.Build((net.LayerChoice("op", ["zero", "negative", "identity"],
            net.Op("Mul", x, net.Constant("z", [], _ => 0)), net.Op("Neg", net.Op("Abs", net.Op("Mul", x, net.Weight("slope", 4)))), net.Op("Mul", x, net.Constant("scale", [4], _ => 1))), [N, 4]));
        var samples = TestTensors.Normal(4, 64, 4);
        var data = Search.Data.Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = samples }, samples);
        var task = new TrainingTask(SearchSpace.Read(model), data, data, Loss.Named("mse"), () => Search.Metrics.MetricSet.Default("mse"),
            Options with { Strategy = strategy, Epochs = 20 }, new SmallTask(), TorchSharp.torch.CPU, default);
        using var trainer = StrategyCatalog.Create(strategy, task);
        trainer.Fit();
        Assert.AreEqual("op=identity", trainer.Export().ToString());
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void Nothing_over_the_budget_is_returned_also_where_the_best_is_over_it(string strategy)
    {
        // Without a limit the expensive one wins, which those that train anew need more than twenty epochs to find.
        if (strategy is not ("random" or "grid"))
            Assert.AreEqual("op=identity", Searched(limit: null));
        Assert.AreNotEqual("op=identity", Searched(limit: 23));

        string Searched(double? limit)
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            Value Matrix(string name, Value from, double diagonal) => net.Op("MatMul", from, net.Constant(name, [4, 4], i => i % 5 == 0 ? diagonal : 0));
            // 16, 32 and 16 MACs.
            var model = net.Build((net.LayerChoice("op", ["half", "identity", "negative"], Matrix("half", x, 0.1), Matrix("two", Matrix("one", x, 1), 1), net.Op("Neg", net.Op("Abs", Matrix("large", x, 1)))), [N, 4]));
            var samples = TestTensors.Normal(4, 64, 4);
            var data = Search.Data.Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = samples }, samples);
            var table = CostNets.CostOf(model).Macs;
            Assert.AreEqual((16.0, 32.0), table.Range());
            var task = new TrainingTask(table.Space, data, data, Loss.Named("mse"), () => Search.Metrics.MetricSet.Default("mse"),
                Options with { Strategy = strategy, Epochs = 20, Lr = 1e-4, MinLr = 1e-4, Samples = strategy == "enas" ? 3 : null }, new SmallTask(), TorchSharp.torch.CPU, default)
            { Budget = new(table.Space, limit is { } most ? [new("--max-macs", table, most)] : []) };
            using var trainer = StrategyCatalog.Create(strategy, task);
            trainer.Fit();
            var returned = trainer.Finalists(3).Append(trainer.Export()).Concat(trainer.Ranking(3).Select(r => r.Architecture)).ToList();
            Assert.IsTrue(returned.All(a => table.Of(a) <= (limit ?? 32)), string.Join(' ', returned));
            return trainer.Ranking(3)[0].Architecture.ToString();
        }
    }

    [TestMethod]
    [DataRow("gdas"), DataRow("proxyless"), DataRow("spos"), DataRow("fairnas"), DataRow("enas")]
    public void What_does_not_run_in_a_weight_step_keeps_its_weights_bit_for_bit_under_momentum_and_decay(string strategy)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var names = Enumerable.Range(0, 6).Select(k => $"c{k}").ToArray();
        var model = net.Build((net.LayerChoice("op", names, [.. names.Select(n => net.Linear(n, x, 4, 4))]), [N, 4]));
        // One step: gdas, proxyless and spos run one of six.
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(model, Options with { Strategy = strategy, Epochs = 1, BatchSize = 32, WeightDecay = 0.1 }));
        string[] Weights() => [.. names.Select(n => Convert.ToHexString(trainer.Supernet.Module.Parameters[n + ".weight"].ToTensorData().Bytes.Span))];
        var before = Weights();
        trainer.Fit();
        var moved = Weights().Where((w, k) => w != before[k]).Count();
        Assert.AreEqual(strategy == "fairnas" ? 6 : 1, moved);
    }

    private static (Architecture Architecture, byte[] State) Run(string strategy, Model model, int seed)
    {
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(model, Options with { Strategy = strategy, Seed = seed, Epochs = strategy == "grid" ? 36 : 2 }));
        trainer.Fit();
        return (trainer.Export(), [.. trainer.Supernet.Module.Parameters.Values.Concat(trainer.Supernet.Module.Buffers.Values).SelectMany(t => t.ToTensorData().Bytes.ToArray())]);
    }

    // A label at two markers, one of them inside a candidate of another, and inputs to choose from.
    private static Model Rich(string reduction)
    {
        var net = new NetBuilder(2);
        var x = net.Input("x", N, 4);
        var inner = net.LayerChoice("inner", null, net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), net.Op("Tanh", x));
        var outer = net.LayerChoice("outer", null, net.Linear("b", inner, 4, 4), x);
        var again = net.LayerChoice("inner", null, net.Linear("c", outer, 4, 4), net.Op("Sigmoid", outer));
        var any = net.InputChoice("any", 0, "sum", again, x);
        var joined = net.InputChoice("inputs", 2, reduction, any, outer, x);
        return net.Build((net.Linear("head", joined, reduction == "concat" ? 8 : 4, 2), [N, 2]));
    }
}
