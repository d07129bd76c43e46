using System.Reflection;
using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Costs;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

/// <summary>What every trainer does alike: how far a step of the weights may go, and what the architecture starts with.</summary>
[TestClass]
public sealed class OneShotTrainerTests
{
    private const double Limit = 1e-2;

    public static IEnumerable<object[]> Strategies => StrategyCatalog.All.Select(s => new object[] { s.Name });

    public static IEnumerable<object[]> GradientStrategies =>
        typeof(GradientTrainer).Assembly.GetTypes().Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(GradientTrainer))).Select(t => new object[] { t.GetCustomAttribute<StrategyAttribute>()!.Name });

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_step_of_the_weights_is_no_longer_than_the_clipping_allows_over_all_weights_together(string strategy)
    {
        // Without momentum and decay the step is −lr times the clipped gradient.
        Assert.AreEqual(Limit, StepLength(strategy, Limit), 1e-5);
        Assert.IsGreaterThan(2 * Limit, StepLength(strategy, 0), "The mutant that ignores the setting goes further.");
    }

    [TestMethod]
    public void A_step_of_retraining_is_no_longer_than_the_clipping_allows()
    {
        Assert.AreEqual(Limit, Length(Limit), 1e-5);
        Assert.IsGreaterThan(2 * Limit, Length(0));

        static double Length(double clip)
        {
            var model = Net();
            var before = model.Clone();
            new WinnerTrainer(Options("darts", clip), Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, default).Fit(model, SmallTask.Data(model, 16, 1), 1);
            return Norm(before.Graph.Initializers.Zip(model.Graph.Initializers).SelectMany(p => p.First.Initializer!.ToDoubles().Zip(p.Second.Initializer!.ToDoubles(), (a, b) => b - a)));
        }

        static Model Net()
        {
            var net = new NetBuilder(2);
            return net.Build((net.Linear("head", net.Op("Tanh", net.Linear("l", net.Input("x", N, 4), 4, 4)), 4, 2), [N, 2]));
        }
    }

    [TestMethod]
    public void The_architecture_starts_with_normally_distributed_numbers_of_a_thousandth_by_the_seed()
    {
        AreDrawnFrom([0.25, 0.25, 0.25, 0.25], Quartiles(1));
        CollectionAssert.AreEqual(Initial(1), Initial(1));
        CollectionAssert.AreNotEqual(Initial(1), Initial(2));
        AreNotDrawnFrom([0.25, 0.25, 0.25, 0.25], Quartiles(1.5));

        static double[] Initial(int seed)
        {
            using var darts = new Darts(SmallTask.Of(Wide(), new() { Seed = seed }));
            return Alpha(darts, "op");
        }

        // How many of 500 numbers are in each quarter of N(0, 1e-3²).
        static int[] Quartiles(double stretched)
        {
            const double quartile = 0.6744897501960817e-3;
            var all = Initial(1).Select(a => a * stretched).ToList();
            return [all.Count(a => a < -quartile), all.Count(a => a is >= -quartile and < 0), all.Count(a => a is >= 0 and < quartile), all.Count(a => a >= quartile)];
        }

        static Model Wide()
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            return net.Build((net.LayerChoice("op", null, [.. Enumerable.Repeat(x, 500)]), [N, 4]));
        }
    }

    [TestMethod]
    public void The_defaults_of_darts_are_the_papers()
    {
        var options = new SearchOptions();
        Assert.AreEqual((3e-4, 1e-3, 0.025, 0.001, 0.9, 3e-4, 5.0), (options.ArchLr, options.ArchWeightDecay, options.Lr, options.EffectiveMinLr(), options.Momentum, options.WeightDecay, options.GradClip));
        Assert.AreEqual(("cosine", 0.0, 0.0), (options.Schedule, options.LabelSmoothing, options.Ema));
    }

    [TestMethod]
    [DynamicData(nameof(GradientStrategies))]
    public void The_architecture_starts_with_the_logarithm_of_the_prior_where_there_is_one(string strategy)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var op = net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", x), net.Linear("b", x, 4, 4), net.Op("Sigmoid", x));
        op.Producer!.SetAttribute(Attr.Of("prior", (IEnumerable<float>)[0.2f, 0, 0.7f, 0.1f]));
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(net.Build((net.LayerChoice("plain", null, net.Linear("c", op, 4, 4), op), [N, 4])), new() { Strategy = strategy }));
        // Five of the standard deviations that numbers start with.
        foreach (var (actual, expected) in Alpha(trainer, "op").Zip([Math.Log(0.2), Math.Log(1e-6), Math.Log(0.7), Math.Log(0.1)]))
            Assert.AreEqual(expected, actual, 5e-3);
        foreach (var actual in Alpha(trainer, "plain"))
            Assert.AreEqual(0, actual, 5e-3);
        Assert.AreEqual(2, trainer.Export()["op"][0]);
    }

    [TestMethod]
    [DataRow("mse", 0.52, 0.35, 0.3), DataRow("cross-entropy", 0.48, 0.65, 0.7)]
    public void The_ranking_reckons_costs_in_whether_the_metric_is_to_rise_or_to_fall(string loss, double narrow, double middle, double wide)
    {
        double[] metrics = [narrow, middle, wide];
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        // 80, 160 and 240 MACs.
        var model = net.Build((net.LayerChoice("op", ["narrow", "middle", "wide"], [.. new[] { 10, 20, 30 }.Select(w => CostNets.Bottleneck(net, $"w{w}", x, w))]), [N, 4]));
        var table = CostNets.CostOf(model).Macs;
        CheckRanking(null, 2, 1, 0);
        // Of each metric 0, 0.1 and 0.2 are taken, so that neither the metric nor the cost alone decides.
        CheckRanking(new(table, target: 80, weight: 0.1), 1, 2, 0);

        void CheckRanking(CostPenalty? penalty, params int[] expected)
        {
            var data = SmallTask.Data(model, 8, 1, classes: loss == "mse" ? 0 : 4);
            var task = new TrainingTask(table.Space, data, data, Loss.Named(loss), () => MetricSet.Default(loss), new(), new SmallTask(), CPU, default) { Penalty = penalty };
            using var trainer = new Judged(task, metrics);
            CollectionAssert.AreEqual(expected.Select(k => (k, metrics[k])).ToArray(), trainer.Ranking(3).Select(r => (r.Architecture["op"][0], r.Metric)).ToArray());
        }
    }

    private static SearchOptions Options(string strategy, double clip) =>
        new() { Strategy = strategy, Epochs = 4, BatchSize = 16, Seed = 3, Lr = 1, Schedule = "constant", Momentum = 0, WeightDecay = 0, GradClip = clip, Samples = 1 };

    // The second step of the first epoch: the standalone strategies draw their weights before the first one.
    private static double StepLength(string strategy, double clip)
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        var op = net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4)));
        var ear = new SmallTask();
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(net.Build((net.Linear("head", op, 4, 2), [N, 2])), Options(strategy, clip), ear));
        var states = new List<double[]>();
        ear.AfterStep = () => states.Add([.. trainer.Supernet.Weights.SelectMany(w => w.ToTensorData().ToDoubles())]);
        try
        {
            trainer.Fit();
        }
        catch (TrainingException) when (clip == 0)
        {
            // A learning rate of 1 leads nowhere unless it is held back.
        }

        return Norm(states[0].Zip(states[1], (a, b) => b - a));
    }

    private static double Norm(IEnumerable<double> numbers) => Math.Sqrt(numbers.Sum(n => n * n));

    // Candidate k of "op" has the k-th metric.
    private sealed class Judged(TrainingTask task, double[] metrics) : SamplingTrainer(task)
    {
        public override IReadOnlyList<Architecture> Finalists(int count) => [.. OneHot.All(Task.Space).Take(count)];

        protected override double FinalistMetricOf(Architecture architecture) => metrics[architecture["op"][0]];

        protected override void Step(Optimizer weights, Batch train, Batch valid)
        {
        }
    }
}
