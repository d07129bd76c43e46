using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Costs;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>What a penalty does in the trainer of every strategy: its gradient, and what searches come to with it. Expected costs are means over all architectures.</summary>
[TestClass]
public sealed class PenalisedStrategiesTests
{
    private static readonly SearchOptions Options = new() { Epochs = 4, BatchSize = 8, Seed = 3, ArchLr = 0.05, ArchWeightDecay = 0, Temperature = 2, MinTemperature = 1, Population = 4, Generations = 5 };

    // Adam's steps have a length of their own: a weight at which every step already leads to the cheapest has none above it to compare with.
    private static readonly double[] Weights = [0, 0.03, 0.1, 0.3, 1];

    [TestMethod]
    [DataRow("darts", false), DataRow("darts", true), DataRow("gumbel", false), DataRow("gdas", false), DataRow("proxyless", false), DataRow("pc-darts", false)]
    public void What_a_penalty_adds_to_the_gradient_of_alpha_is_its_own_by_finite_differences(string strategy, bool unrolled) =>
        CheckGradient(task => (GradientTrainer)StrategyCatalog.Create(strategy, task), Options with { Strategy = strategy, Unrolled = unrolled });

    [TestMethod]
    public void In_the_full_form_of_proxyless_too() => CheckGradient(task => new Proxyless(task), Options with { ProxylessGradient = "full" });

    [TestMethod]
    [DataRow(PenaltyForm.Add), DataRow(PenaltyForm.Multiply)]
    public void A_step_follows_the_whole_penalised_loss_by_finite_differences(PenaltyForm form)
    {
        Assert.IsLessThan(1e-6, WholeLossError(task => new Darts(task), form));
        Assert.IsGreaterThan(0.05, WholeLossError(task => new Detached(task), form), "The mutant whose cost is detached.");
        Assert.IsGreaterThan(0.05, WholeLossError(task => new CostAlone(task), form), "The mutant whose loss is detached.");
    }

    [TestMethod]
    public void The_mutant_whose_cost_is_detached_is_seen() => Assert.Throws<AssertFailedException>(() => CheckGradient(task => new Detached(task), Options));

    [TestMethod]
    [DataRow("darts", false), DataRow("darts", true), DataRow("gumbel", false), DataRow("gdas", false), DataRow("proxyless", false), DataRow("pc-darts", false)]
    public void The_expected_cost_that_a_search_comes_to_falls_with_the_weight(string strategy, bool unrolled)
    {
        foreach (var (form, seed) in from form in Enum.GetValues<PenaltyForm>() from seed in (int[])[3, 4] select (form, seed))
            CheckFalls(weight => Searched(task => (GradientTrainer)StrategyCatalog.Create(strategy, task), Options with { Strategy = strategy, Unrolled = unrolled, Seed = seed }, weight, form), $"{form}, seed {seed}");
    }

    [TestMethod]
    public void The_mutant_whose_cost_is_detached_comes_to_the_same_cost_whatever_the_weight() =>
        Assert.Throws<AssertFailedException>(() => CheckFalls(weight => Searched(task => new Detached(task), Options, weight, PenaltyForm.Add), "detached"));

    [TestMethod]
    [DataRow("spos"), DataRow("fairnas"), DataRow("enas"), DataRow("random"), DataRow("grid")]
    public void What_sampling_strategies_return_is_the_cheaper_the_more_cost_counts(string strategy)
    {
        // As many samples as there are networks: of fewer the best hangs on which they are.
        var costs = Weights.Select(weight => Enumerable.Range(0, 3).Average(seed =>
        {
            var (task, table) = Task(Options with { Strategy = strategy, Seed = seed, Epochs = strategy == "enas" ? 2 : 12, Samples = 12 }, weight, PenaltyForm.Add);
            using var trainer = StrategyCatalog.Create(strategy, task);
            trainer.Fit();
            return table.Of(trainer.Export());
        })).ToList();
        for (var i = 1; i < costs.Count; i++)
            Assert.IsGreaterThanOrEqualTo(costs[i], costs[i - 1], string.Join(' ', costs));
        Assert.IsGreaterThan(costs[^1], costs[0], string.Join(' ', costs));
    }

    private static void CheckGradient(Func<TrainingTask, GradientTrainer> create, SearchOptions options)
    {
        const double weight = 0.8;
        using var scope = TorchSharp.torch.NewDisposeScope();
        var (task, table) = Task(options, weight, PenaltyForm.Add);
        // The same draws, with and without.
        var (plain, _, _) = Gradient(create(Task(options, 0, PenaltyForm.Add).Task));
        var (penalised, alphas, choices) = Gradient(create(task));
        var largest = 0.0;
        for (var i = 0; i < alphas.Count; i++)
        {
            for (var k = 0; k < alphas[i].Length; k++)
            {
                double At(double by)
                {
                    var moved = alphas.Select((a, j) => Softmax([.. a.Select((v, m) => j == i && m == k ? v + by : v)])).ToList();
                    return weight * (Mean(table, c => moved[choices.IndexOf(c.Label)]) / Target(table) - 1);
                }

                var slope = (At(1e-5) - At(-1e-5)) / 2e-5;
                Assert.AreEqual(slope, penalised[i][k] - plain[i][k], 1e-7, $"{choices[i]} {k}");
                largest = Math.Max(largest, Math.Abs(slope));
            }
        }

        Assert.IsGreaterThan(0.02, largest);
    }

    // The gradient of the first step of the architecture, out of Adam's first moment: half of it.
    private static (List<double[]> Gradient, List<double[]> Alphas, List<string> Labels) Gradient(GradientTrainer trainer)
    {
        using var _ = trainer;
        using var weights = trainer.Task.Options.NewWeightOptimizer(trainer.Supernet.Weights);
        using var alphas = new AdamOptimizer(trainer.Supernet.ArchitectureParameters, 0.05, 0.5, 0.999);
        (trainer.Weights, trainer.Alphas) = (weights, alphas);
        var choices = trainer.Task.Space.Choices;
        var start = choices.Select(c => trainer.Supernet.ArchitectureValues(c)).ToList();
        foreach (var (train, valid) in trainer.Task.Batches(0).Take(1))
            trainer.StepArchitecture(train, valid);
        var order = trainer.Supernet.ArchitectureParameters.ToList();
        return ([.. choices.Select(c => alphas.State(order.IndexOf(trainer.Supernet.ArchitectureTensor(c)), 0).ToDoubles().Select(m => 2 * m).ToArray())], start, [.. choices.Select(c => c.Label)]);
    }

    // How far the gradient of the first step is from differences of the validation loss joined with the mean cost of all architectures, relative to the largest slope.
    private static double WholeLossError(Func<TrainingTask, GradientTrainer> create, PenaltyForm form)
    {
        const double weight = 0.8;
        var (gradient, start, _) = Gradient(create(Task(Options, weight, form).Task));
        var (task, table) = Task(Options, weight, form);
        using var darts = new Darts(task);
        darts.Supernet.Module.UpdateBuffers = false;
        var alphas = task.Space.Choices.Select(c => darts.Supernet.ArchitectureTensor(c)).ToList();
        var errors = new List<(double Error, double Slope)>();
        foreach (var (_, valid) in task.Batches(0).Take(1))
        {
            for (var i = 0; i < alphas.Count; i++)
            {
                for (var k = 0; k < start[i].Length; k++)
                {
                    var slope = (At(i, k, 1e-5) - At(i, k, -1e-5)) / 2e-5;
                    errors.Add((Math.Abs(slope - gradient[i][k]), Math.Abs(slope)));
                }
            }

            double At(int i, int k, double by)
            {
                using var scope = TorchSharp.torch.NewDisposeScope();
                using var off = TorchSharp.torch.no_grad();
                alphas[i].copy_(TorchSharp.torch.tensor(start[i].Select((a, m) => m == k ? a + by : a).ToArray()));
                darts.Supernet.Module.Training = true;
                var loss = task.Loss.Of(darts.Supernet.Forward(valid.Inputs)[0], valid.Label).item<double>();
                var n = Mean(table, darts.Probabilities) / Target(table) - 1;
                alphas[i].copy_(TorchSharp.torch.tensor(start[i]));
                return form == PenaltyForm.Add ? loss + weight * n : loss * Math.Pow(1 + n, weight);
            }
        }

        return errors.Max(e => e.Error) / errors.Max(e => e.Slope);
    }

    private static void CheckFalls(Func<double, double> search, string because)
    {
        var costs = Weights.Select(search).ToList();
        for (var i = 1; i < costs.Count; i++)
            Assert.IsGreaterThan(costs[i], costs[i - 1], $"{because}: {string.Join(' ', costs)}");
    }

    private static double Searched(Func<TrainingTask, GradientTrainer> create, SearchOptions options, double weight, PenaltyForm form)
    {
        var (task, table) = Task(options, weight, form);
        using var trainer = create(task);
        trainer.Fit();
        return Mean(table, trainer.Probabilities);
    }

    private static double Target(CostTable table) => 0.5 * table.Range().Largest;

    private static double Mean(CostTable table, Func<Choice, IReadOnlyList<double>> probabilities) =>
        OneHot.All(table.Space).Sum(a => table.Of(a) * table.Space.Choices.Aggregate(1.0, (product, c) => product * probabilities(c)[a[c.Label][0]]));

    private static (TrainingTask Task, CostTable Table) Task(SearchOptions options, double weight, PenaltyForm form)
    {
        var model = Net();
        var table = CostNets.CostOf(model).Macs;
        var data = (SmallTask.Data(model, 32, 1), SmallTask.Data(model, 32, 2));
        return (new(table.Space, data.Item1, data.Item2, Loss.Named("mse"), () => Search.Metrics.MetricSet.Default("mse"), options, new SmallTask(), TorchSharp.torch.CPU, default)
        {
            Penalty = weight == 0 ? null : new(table, Target(table), weight, form),
        }, table);
    }

    // Nested, so that what a candidate costs hangs on another decision.
    private static Model Net()
    {
        var net = new NetBuilder(5, ElementType.Float64);
        var x = net.Input("x", N, 4);
        var inner = net.LayerChoice("inner", null, net.Op("Tanh", CostNets.Bottleneck(net, "a", x, 9)), net.Op("Sigmoid", net.Linear("b", x, 4, 4)), x);
        var outer = net.LayerChoice("outer", null, inner, net.Op("Tanh", net.Linear("c", x, 4, 4)));
        var last = net.InputChoice("pick", 1, "sum", net.Op("Tanh", CostNets.Bottleneck(net, "d", outer, 6)), outer);
        return net.Build((net.Linear("head", last, 4, 2), [N, 2]));
    }

    private sealed class CostAlone : RelaxedTrainer
    {
        public CostAlone(TrainingTask task) : base(task) => Relax();

        protected internal override void StepArchitecture(Batch train, Batch valid) => ArchitectureStep(Alphas, () => Penalised(LossOf(valid).detach()));
    }

    private sealed class Detached : RelaxedTrainer
    {
        public Detached(TrainingTask task) : base(task) => Relax();

        protected internal override void StepArchitecture(Batch train, Batch valid) =>
            ArchitectureStep(Alphas, () => Task.Penalty?.Apply(LossOf(valid), c => ProbabilityTensor(c).detach()) ?? LossOf(valid));
    }
}
