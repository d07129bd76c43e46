using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>The controller and its gradient against enumeration: every sequence of decisions with its exact probability.</summary>
[TestClass]
public sealed class EnasTests
{
    private const double Entropy = 0.3;
    private static readonly Dim N = Dim.Symbol("N");

    /// <summary>The gradient one sample gives for a parameter: of its log-probability, its reward (the entropy not added yet) and the baseline before it.</summary>
    private delegate Tensor Estimate(EnasController controller, Parameter parameter, Func<Tensor> logProbability, double reward);

    [TestMethod]
    public void The_policy_is_a_distribution()
    {
        using var scope = NewDisposeScope();
        using var controller = Controller();
        Assert.HasCount(3 * 6 * 3, Sequences());
        Assert.AreEqual(1, Sequences().Sum(s => Log(controller, s).exp().item<double>()), 1e-12);
        Assert.IsGreaterThan(4, Sequences().Max(s => Log(controller, s).exp().item<double>()) / Sequences().Min(s => Log(controller, s).exp().item<double>()), "A uniform one would show nothing.");
    }

    [TestMethod]
    public void The_mutant_that_draws_inputs_with_replacement_is_no_distribution()
    {
        double[] p = [0.5, 0.3, 0.2];
        var pairs = from i in Enumerable.Range(0, 3) from j in Enumerable.Range(0, 3) where i != j select p[i] * p[j];
        Assert.AreNotEqual(1, pairs.Sum(), 1e-3);
    }

    [TestMethod]
    public void Architectures_are_drawn_as_often_as_the_policy_says()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var controller = Controller();
        var space = Space();
        var expected = Sequences().GroupBy(s => Of(space, s)).ToDictionary(g => g.Key, g => 1000 * g.Sum(s => Log(controller, s).exp().item<double>()));
        Assert.HasCount(27, expected);
        var random = new SeededRandom(5);
        var counts = expected.Keys.ToDictionary(a => a, _ => 0);
        for (var i = 0; i < 1000; i++)
        {
            using var inner = NewDisposeScope();
            counts[controller.Sample(random).Architecture]++;
        }

        // 26 degrees of freedom exceed 56 once in 2000.
        Assert.IsLessThan(56, expected.Sum(e => Math.Pow(counts[e.Key] - e.Value, 2) / e.Value));
        Assert.IsGreaterThan(56, counts.Values.Sum(n => Math.Pow(n - 1000 / 27.0, 2) / (1000 / 27.0)), "A uniform policy is another one.");
    }

    [TestMethod]
    public void The_log_probability_of_a_sample_is_that_of_its_decisions()
    {
        using var scope = NewDisposeScope();
        using var controller = Controller();
        var space = Space();
        for (var i = 0; i < 20; i++)
        {
            var (architecture, log) = controller.Sample(new SeededRandom(i));
            Assert.IsTrue(Sequences().Any(s => Of(space, s).Equals(architecture) && Math.Abs(Log(controller, s).item<double>() - log.item<double>()) < 1e-12));
        }
    }

    [TestMethod]
    public void The_mean_of_the_gradient_is_that_of_the_expected_reward_and_entropy() => CheckMean(Reinforced);

    [TestMethod]
    public void Mutants_of_the_gradient_have_another_mean()
    {
        Assert.Throws<AssertFailedException>(() => CheckMean((c, p, log, r) => -Reinforced(c, p, log, r)), "Sign.");
        Assert.Throws<AssertFailedException>(() => CheckMean((c, p, log, r) => (0.5 - r) * Gradient(log(), p)), "No entropy.");
        Assert.Throws<AssertFailedException>(() => CheckMean((c, p, log, r) => (0.9 * r + 0.1 * 0.5 - r + Entropy * log().item<double>()) * Gradient(log(), p)), "The baseline has taken in its own sample, as one that cancels a part of it.");
        Assert.Throws<AssertFailedException>(() => CheckMean((c, p, log, r) => (0.5 - r - Entropy * log().item<double>()) * Gradient(log(), p)), "Entropy is punished.");
    }

    [TestMethod]
    public void The_expected_reward_by_finite_differences_has_the_gradient_that_enumeration_gives()
    {
        using var scope = NewDisposeScope();
        using var controller = Controller();
        foreach (var parameter in controller.Parameters.Take(4))
        {
            var exact = Gradient(Objective(controller), parameter);
            foreach (var at in new[] { 0L, parameter.numel() / 2 })
            {
                var (up, down) = (Moved(1e-5), Moved(-1e-5));
                Assert.AreEqual((up - down) / 2e-5, exact.flatten()[at].item<double>(), 1e-8);

                double Moved(double by)
                {
                    using var off = no_grad();
                    parameter.view(-1)[at].add_(by);
                    var value = Objective(controller).item<double>();
                    parameter.view(-1)[at].sub_(by);
                    return value;
                }
            }
        }
    }

    [TestMethod]
    public void The_baseline_is_a_moving_average_that_a_sample_meets_before_it_joins() => CheckBaseline(d => new Reinforce(d, 0), (b, r, d) => d * b + (1 - d) * r, (b, r) => -(r - b));

    [TestMethod]
    public void Mutants_of_the_baseline_are_seen()
    {
        Assert.Throws<AssertFailedException>(() => CheckBaseline(d => new Reinforce(d, 0), (b, r, d) => (1 - d) * b + d * r, (b, r) => -(r - b)));
        Assert.Throws<AssertFailedException>(() => CheckBaseline(d => new Reinforce(d, 0), (b, r, d) => d * b + (1 - d) * r, (b, r) => -(r + b)));
        Assert.Throws<AssertFailedException>(() => CheckBaseline(d => new Reinforce(d, 0), (b, r, d) => d * b + (1 - d) * r, (_, r) => -r));
    }

    [TestMethod]
    public void A_step_of_the_controller_leaves_weights_and_running_statistics_as_they_are()
    {
        CollectionAssert.AreEqual(AfterOneStep(warmup: 1, out var untrained), AfterOneStep(warmup: 0, out var trained));
        CollectionAssert.AreNotEqual(untrained, trained);

        // One weight step is taken in both; the first controller step only sets the baseline, so there are two.
        static byte[] AfterOneStep(int warmup, out byte[] policy)
        {
            using var scope = NewDisposeScope();
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            // Both candidates are one, so that the weights learn alike whatever is drawn.
            var same = net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4);
            var model = net.Build((net.LayerChoice("op", null, same, net.Op("Identity", same)), [N, 4]));
            var checkpoints = new List<CheckpointState>();
            using var trainer = new Enas(SmallTask.Of(model, new() { Epochs = 1, BatchSize = 8, WarmupEpochs = warmup, ControllerSamples = 3 }, checkpointer: new(checkpoints.Add)));
            trainer.Fit();
            policy = [.. checkpoints[^1].Tensors.Where(t => t.Key.StartsWith("search/parameters", StringComparison.Ordinal)).SelectMany(t => t.Value.Bytes.ToArray())];
            return [.. trainer.Supernet.Module.State.SelectMany(s => s.Value.ToTensorData().Bytes.ToArray())];
        }
    }

    [TestMethod]
    public void The_controller_learns_which_architecture_is_rewarded()
    {
        using var controller = Controller();
        using var adam = new AdamOptimizer(controller.Parameters, 6e-3);
        var (reinforce, random, space) = (new Reinforce(0.95, 1e-4), new SeededRandom(6), Space());
        var sought = Of(space, Sequences()[17]);
        for (var step = 0; step < 300; step++)
        {
            using var scope = NewDisposeScope();
            var (architecture, log) = controller.Sample(random);
            var reward = space.Choices.Count(c => architecture[c.Label].SequenceEqual(sought[c.Label]));
            if (reinforce.Loss([(log, reward)]) is { } loss)
                adam.Step(GradientStep.Of(loss, adam.Parameters));
        }

        using var end = NewDisposeScope();
        Assert.IsGreaterThan(0.5, Sequences().Where(s => Of(space, s).Equals(sought)).Sum(s => Log(controller, s).exp().item<double>()));
    }

    [TestMethod]
    public void A_search_comes_to_draw_the_candidate_that_is_rewarded()
    {
        Assert.IsGreaterThan(0.8, ShareOfTheBest(warmup: 0));
        // The mutant whose controller takes next to no step.
        Assert.IsLessThan(0.6, ShareOfTheBest(warmup: 11));

        // Of the architectures of the last four epochs: the last one of each step, drawn by the controller like any other.
        static double ShareOfTheBest(int warmup)
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            var model = net.Build((net.LayerChoice("op", ["zero", "identity", "negative"], net.Op("Mul", x, net.Constant("z", [], _ => 0)), net.Op("Identity", x), net.Op("Neg", x)), [N, 4]));
            var samples = TestTensors.Normal(4, 64, 4);
            var data = Search.Data.Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = samples }, samples);
            var ear = new SmallTask();
            var options = new SearchOptions { Strategy = "enas", Epochs = 12, BatchSize = 8, ArchLr = 0.03, ControllerSamples = 2, BaselineDecay = 0.9, WarmupEpochs = warmup };
            using var trainer = new Enas(new(SearchSpace.Read(model), data, data, Loss.Named("mse"), () => Search.Metrics.MetricSet.Default("mse"), options, ear, CPU, default));
            var paths = new List<int>();
            ear.AfterStep = () => paths.Add(trainer.Path["op"][0]);
            trainer.Fit();
            Assert.HasCount(96, paths);
            return paths.TakeLast(32).Count(p => p == 1) / 32.0;
        }
    }

    [TestMethod]
    public void The_export_is_the_best_of_as_many_samples_of_the_policy_as_are_asked_for()
    {
        // By its priors the policy all but always takes the second candidates: 64 architectures, and a few that it knows.
        var net = new NetBuilder();
        var y = net.Input("x", N, 4);
        for (var i = 0; i < 6; i++)
        {
            y = net.LayerChoice($"l{i}", null, net.Op("Tanh", net.Linear($"a{i}", y, 4, 4)), net.Op("Sin", net.Linear($"b{i}", y, 4, 4)));
            y.Producer!.SetAttribute(Attr.Of("prior", (IEnumerable<float>)[0.05f, 0.95f]));
        }

        using var trainer = new Enas(SmallTask.Of(net.Build((y, [N, 4])), new() { Epochs = 1, BatchSize = 16, ArchLr = 1e-6, Samples = 5 }));
        trainer.Fit();
        var finalists = trainer.Finalists(100);
        Assert.HasCount(5, finalists);
        Assert.HasCount(5, finalists.Distinct());
        // Uniformly drawn ones have three of six each.
        Assert.IsGreaterThan(4.5, finalists.Average(a => a.Selections.Values.Count(s => s[0] == 1)));
        var scorer = new SubnetScorer(trainer);
        var metrics = finalists.Select(a => scorer.Score(a).Metric).ToList();
        CollectionAssert.AreEqual(metrics.Order().ToList(), metrics);
        Assert.AreEqual(finalists[0], trainer.Export());
    }

    // E[R] + weight·H(π), to be maximised, by enumeration.
    private static Tensor Objective(EnasController controller)
    {
        var logs = stack(Sequences().Select(s => Log(controller, s)));
        var rewards = tensor(Sequences().Select((_, i) => Reward(i)).ToArray());
        return (logs.exp() * (rewards - Entropy * logs)).sum();
    }

    private static void CheckMean(Estimate estimate)
    {
        using var scope = NewDisposeScope();
        using var controller = Controller();
        foreach (var parameter in new[] { controller.Parameters[0], controller.Parameters[1], controller.Parameters[2], controller.Parameters[3], controller.Parameters[^2] })
        {
            var mean = zeros_like(parameter);
            foreach (var (i, sequence) in Sequences().Index())
                mean += Log(controller, sequence).exp().detach() * estimate(controller, parameter, () => Log(controller, sequence), Reward(i));
            var expected = -Gradient(Objective(controller), parameter);
            Assert.IsGreaterThan(1e-4, expected.abs().max().item<double>());
            Assert.IsLessThan(1e-9, (mean - expected).abs().max().item<double>());
        }
    }

    // What Reinforce makes of a sample when its baseline is 0.5.
    private static Tensor Reinforced(EnasController controller, Parameter parameter, Func<Tensor> logProbability, double reward)
    {
        var reinforce = new Reinforce(0.9, Entropy);
        Assert.IsNull(reinforce.Loss([(zeros([], float64), 0.5)]));
        return Gradient(reinforce.Loss([(logProbability(), reward)])!, parameter);
    }

    private static void CheckBaseline(Func<double, Reinforce> create, Func<double, double, double, double> next, Func<double, double, double> factor)
    {
        using var scope = NewDisposeScope();
        var reinforce = create(0.8);
        var theta = new Parameter(tensor(new double[] { 0.25 }));
        reinforce.Loss([(theta[0], 2)]);
        var b = 2.0;
        foreach (var reward in (double[])[1, 5, -3])
        {
            Assert.AreEqual(factor(b, reward), Gradient(reinforce.Loss([(theta[0], reward)])!, theta)[0].item<double>(), 1e-12);
            b = next(b, reward, 0.8);
            Assert.AreEqual(b, reinforce.Baseline, 1e-12);
        }
    }

    private static double Reward(int sequence) => 0.5 + Math.Sin(3 * sequence);

    // The embedding of the last decision is fed to nothing.
    private static Tensor Gradient(Tensor of, Parameter parameter) =>
        autograd.grad([of], [parameter], allow_unused: true)[0] is { IsInvalid: false } gradient ? gradient : zeros_like(parameter);

    private static Tensor Log(EnasController controller, IReadOnlyList<IReadOnlyList<int>> sequence)
    {
        var next = 0;
        return controller.Walk((_, _) => sequence[next++]);
    }

    private static Architecture Of(SearchSpace space, IReadOnlyList<IReadOnlyList<int>> sequence) =>
        new(space, space.Choices.Select((c, i) => (c.Label, Chosen: (IReadOnlyList<int>)[.. sequence[i].Order()])).ToDictionary(p => p.Label, p => p.Chosen));

    // One of three, an ordered two of three, any of two.
    private static List<IReadOnlyList<IReadOnlyList<int>>> Sequences() =>
    [
        .. from a in Enumerable.Range(0, 3)
           from b in Enumerable.Range(0, 3)
           from c in Enumerable.Range(0, 3).Where(c => c != b)
           from any in (int[][])[[0], [1], [0, 1]]
           select (IReadOnlyList<IReadOnlyList<int>>)[[a], [b, c], any],
    ];

    // Parameters larger than at first, so that the policy is far from uniform.
    private static EnasController Controller()
    {
        var controller = new EnasController(Space(), new SeededRandom(7));
        using var off = no_grad();
        foreach (var parameter in controller.Parameters)
            parameter.mul_(8);
        return controller;
    }

    private static SearchSpace Space()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var a = net.LayerChoice("a", null, x, net.Op("Tanh", x), net.Op("Relu", x));
        var b = net.InputChoice("b", 2, "sum", a, x, net.Op("Neg", a));
        return SearchSpace.Read(net.Build((net.InputChoice("c", 0, "mean", b, a), [N, 4])));
    }
}
