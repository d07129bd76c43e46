using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>Strategies that run one architecture at a time: what is drawn, what learns, what is exported.</summary>
[TestClass]
public sealed class SamplingTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void Spos_draws_every_architecture_equally_often()
    {
        var ear = new SmallTask();
        using var trainer = new Spos(SmallTask.Of(Mixed(), new() { Epochs = 20, BatchSize = 2, Seed = 1, Population = 1, Generations = 1 }, ear, samples: 72));
        var paths = new List<Architecture>();
        ear.AfterStep = () => paths.Add(trainer.Path);
        trainer.Fit();
        Assert.HasCount(720, paths);
        CheckUniform(trainer.Task.Space, paths);
    }

    [TestMethod]
    public void Mutants_that_draw_one_number_for_all_labels_or_prefer_a_candidate_are_seen()
    {
        var space = SearchSpace.Read(Mixed());
        var tied = Enumerable.Range(0, 720).Select(i => new Architecture(space, space.Choices.ToDictionary(c => c.Label, c => Architecture.Random(space, new SeededRandom(i))[c.Label].Count == 1
            ? (IReadOnlyList<int>)[new SeededRandom(i).NextInt(c.Candidates.Count)] : [0, 1 + new SeededRandom(i).NextInt(2)])));
        Assert.Throws<AssertFailedException>(() => CheckUniform(space, tied));
        var random = new SeededRandom(2);
        var rounded = Enumerable.Range(0, 720).Select(_ => Architecture.FromScores(space, c => c.Candidates.Select(_ => Math.Round(3 * random.NextDouble()))));
        Assert.Throws<AssertFailedException>(() => CheckUniform(space, rounded));
    }

    [TestMethod]
    [DataRow("spos"), DataRow("enas"), DataRow("random"), DataRow("gdas"), DataRow("proxyless")]
    public void Each_step_moves_one_candidate_and_the_others_not_by_a_bit_under_momentum_and_decay(string strategy) =>
        CheckOneMoves(task => StrategyCatalog.Create(strategy, task));

    [TestMethod]
    public void The_mutant_whose_other_candidates_have_a_gradient_of_zero_is_seen() =>
        Assert.Throws<AssertFailedException>(() => CheckOneMoves(task => new ZeroGradients(task)));

    [TestMethod]
    [DataRow("sum"), DataRow("mean"), DataRow("concat")]
    public void A_step_of_spos_is_a_step_of_the_plain_model(string reduction) => CheckPlainStep(task => new Spos(task), (task, _) => Architecture.Random(task.Space, Drawn(task)), 1, reduction);

    [TestMethod]
    public void A_step_of_spos_is_no_step_of_another_model() => Assert.Throws<AssertFailedException>(() =>
        CheckPlainStep(task => new Spos(task), (task, _) => Architecture.Random(task.Space, new SeededRandom(99)), 1));

    [TestMethod]
    public void Fairnas_takes_one_step_down_the_sum_of_its_paths_gradients() => CheckFairStep(task => new FairNas(task));

    [TestMethod]
    public void Mutants_of_fairnas_that_step_after_each_path_or_keep_the_last_gradient_are_seen()
    {
        Assert.Throws<AssertFailedException>(() => CheckFairStep(task => new StepsAfterEachPath(task)));
        Assert.Throws<AssertFailedException>(() => CheckFairStep(task => new LastGradient(task)));
    }

    [TestMethod]
    public void Fairnas_reports_the_mean_of_its_paths_losses()
    {
        var (model, ear) = (Mixed(), new SmallTask());
        using var trainer = new FairNas(SmallTask.Of(model, new() { Epochs = 1, BatchSize = 16, Seed = 4, Population = 1, Generations = 1 }, ear, samples: 16));
        var batch = trainer.Task.Training.Load(trainer.Task.Training.Shuffled(0).Single());
        var losses = FairNas.Paths(trainer.Task.Space, Drawn(trainer.Task)).Select(path =>
        {
            using var plain = new GraphModule(Pruner.Prune(model, path)) { Training = true };
            return trainer.Task.Loss.Of(plain.Forward(batch.Inputs)[0], batch.Label).ToTensorData().ToDoubles().Single();
        }).ToList();
        Assert.IsTrue(losses.All(l => Math.Abs(l - losses.Average()) > 1e-2), "No path alone has the mean.");
        trainer.Fit();
        Assert.AreEqual(losses.Average(), ear.Losses.Single(), 1e-5);
        Assert.AreEqual(losses.Average(), ear.Epochs.Single().TrainLoss, 1e-5);
    }

    [TestMethod]
    public void Fairnas_runs_every_candidate_exactly_once_a_step_where_all_choices_have_as_many()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var a = net.LayerChoice("a", null, x, net.Op("Tanh", x), net.Op("Relu", x), net.Op("Neg", x));
        var b = net.LayerChoice("b", null, a, net.Op("Tanh", a), net.Op("Relu", a), net.Op("Neg", a));
        var space = SearchSpace.Read(net.Build((net.InputChoice("c", 2, "mean", x, a, b, net.Op("Neg", b)), [N, 4])));
        CheckFair(space, FairNas.Paths);
        Assert.Throws<AssertFailedException>(() => CheckFair(space, (s, random) => [.. Enumerable.Range(0, 4).Select(_ => Architecture.Random(s, random))]));
    }

    [TestMethod]
    public void Fairnas_runs_candidates_of_smaller_choices_as_often_as_can_be() => CheckFair(SearchSpace.Read(Mixed()), FairNas.Paths);

    [TestMethod]
    [DataRow("spos"), DataRow("fairnas"), DataRow("enas")]
    public void The_export_is_the_best_on_validation_of_all(string strategy) => CheckExportsBest(task => StrategyCatalog.Create(strategy, task));

    [TestMethod]
    public void The_mutant_that_exports_a_random_sample_is_seen() =>
        Assert.Throws<AssertFailedException>(() => CheckExportsBest(task => new RandomExport(task)));

    // χ² of the counts of all architectures; 17 degrees of freedom exceed 45 once in 4000.
    private static void CheckUniform(SearchSpace space, IEnumerable<Architecture> drawn)
    {
        var counts = OneHot.All(space).ToDictionary(a => a, _ => 0);
        Assert.HasCount(18, counts);
        foreach (var architecture in drawn)
            counts[architecture]++;
        var expected = counts.Values.Sum() / 18.0;
        Assert.IsLessThan(45, counts.Values.Sum(n => Math.Pow(n - expected, 2) / expected));
    }

    private static void CheckOneMoves(Func<TrainingTask, OneShotTrainer> create)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        string[] names = ["a", "b", "c"];
        var model = net.Build((net.LayerChoice("op", names, [.. names.Select(n => net.BatchNorm(n + "n", net.Linear(n, x, 4, 4), 4))]), [N, 4]));
        var ear = new SmallTask();
        using var trainer = create(SmallTask.Of(model, new() { Epochs = 6, BatchSize = 8, WeightDecay = 0.1, Seed = 2, Samples = 3 }, ear));
        string[] State() => [.. names.Select(n => string.Join(',', trainer.Supernet.Module.State.Where(s => s.Key.StartsWith(n, StringComparison.Ordinal)).Select(s => Convert.ToHexString(s.Value.ToTensorData().Bytes.Span))))];
        var before = State();
        var moved = new HashSet<int>();
        var steps = 0;
        ear.AfterStep = () =>
        {
            // Standalone training starts afresh with each architecture.
            var after = State();
            if (trainer is not StandaloneTrainer || steps++ % 8 != 0)
            {
                int[] now = [.. Enumerable.Range(0, 3).Where(k => before[k] != after[k])];
                Assert.HasCount(1, now);
                moved.Add(now[0]);
            }

            before = after;
        };
        trainer.Fit();
        Assert.HasCount(3, moved, "Momentum has something to move only when each candidate has run.");
    }

    private static void CheckFairStep(Func<TrainingTask, OneShotTrainer> create) =>
        CheckPlainStep(create, (task, i) => FairNas.Paths(task.Space, Drawn(task))[i], 3);

    // One step on one batch, against plain models cut out of the marked one: w − lr·(Σ g + λ·w).
    private static void CheckPlainStep(Func<TrainingTask, OneShotTrainer> create, Func<TrainingTask, int, Architecture> path, int paths, string reduction = "sum")
    {
        using var scope = NewDisposeScope();
        var model = Mixed(reduction);
        var options = new SearchOptions { Epochs = 1, BatchSize = 16, Seed = 4, WeightDecay = 0.1, Lr = 0.1, GradClip = 0, Population = 1, Generations = 1 };
        using var trainer = create(SmallTask.Of(model, options, samples: 16));
        var batch = trainer.Task.Training.Load(trainer.Task.Training.Shuffled(0).Single());
        var sums = new Dictionary<string, Tensor>();
        for (var i = 0; i < paths; i++)
        {
            using var plain = new GraphModule(Pruner.Prune(model, path(trainer.Task, i))) { Training = true };
            var loss = trainer.Task.Loss.Of(plain.Forward(batch.Inputs)[0], batch.Label);
            foreach (var (parameter, gradient) in plain.Parameters.Zip(autograd.grad([loss], [.. plain.Parameters.Values])))
                sums[parameter.Key] = sums.TryGetValue(parameter.Key, out var sum) ? sum + gradient : gradient;
        }

        var expected = trainer.Supernet.Module.Parameters.ToDictionary(p => p.Key, p => sums.TryGetValue(p.Key, out var g) ? (p.Value - 0.1 * (g + 0.1 * p.Value)).detach() : p.Value.detach().clone());
        trainer.Fit();
        foreach (var (name, parameter) in trainer.Supernet.Module.Parameters)
            Assert.IsLessThan(1e-6f, (parameter - expected[name]).abs().max().item<float>(), name);
    }

    private static SeededRandom Drawn(TrainingTask task) => new(task.Options.Seed, RandomStreams.Step, 0, 0);

    // Each candidate runs as often as its share: n of N inputs, or one of N, in as many paths as the largest choice has candidates.
    private static void CheckFair(SearchSpace space, Func<SearchSpace, SeededRandom, IReadOnlyList<Architecture>> draw)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var paths = draw(space, new SeededRandom(seed));
            Assert.HasCount(space.Choices.Max(c => c.Candidates.Count), paths);
            foreach (var choice in space.Choices)
            {
                var share = (double)paths.Sum(p => p[choice.Label].Count) / choice.Candidates.Count;
                for (var k = 0; k < choice.Candidates.Count; k++)
                {
                    var count = paths.Count(p => p[choice.Label].Contains(k));
                    Assert.IsInRange(Math.Floor(share), Math.Ceiling(share), count, $"seed {seed}, {choice.Label} {k}");
                }
            }
        }
    }

    private static void CheckExportsBest(Func<TrainingTask, OneShotTrainer> create)
    {
        using var trainer = create(SmallTask.Of(Mixed(), new() { Epochs = 3, BatchSize = 8, Seed = 5, Population = 6, Generations = 3 }));
        trainer.Fit();
        var scorer = new SubnetScorer(trainer);
        // Architectures of one network score alike to the last bit.
        var all = OneHot.All(trainer.Task.Space).DistinctBy(a => scorer.Score(a).Metric).OrderBy(a => scorer.Score(a).Metric).ToList();
        Assert.IsGreaterThan(8, all.Count);
        Assert.AreEqual(scorer.Score(all[0]).Metric, scorer.Score(trainer.Export()).Metric);
        CollectionAssert.AreEqual(all.Select(a => scorer.Score(a).Metric).ToArray(), trainer.Finalists(18).Select(a => scorer.Score(a).Metric).ToArray());
    }

    // 3 · 2 · 3 architectures, weights in every candidate.
    private static Model Mixed(string reduction = "sum")
    {
        var net = new NetBuilder(3);
        var x = net.Input("x", N, 4);
        var a = net.LayerChoice("a", null, net.Linear("a0", x, 4, 4), net.Op("Tanh", net.Linear("a1", x, 4, 4)), net.Linear("a2", x, 4, 4));
        var b = net.LayerChoice("b", null, net.Linear("b0", a, 4, 4), net.BatchNorm("bn", net.Linear("b1", a, 4, 4), 4));
        return net.Build((net.Linear("head", net.InputChoice("c", 2, reduction, a, b, net.Linear("c2", x, 4, 4)), reduction == "concat" ? 8 : 4, 2), [N, 2]));
    }

    private sealed class ZeroGradients(TrainingTask task) : SamplingTrainer(task)
    {
        protected override void Step(Optimizer weights, Batch train, Batch valid)
        {
            Path = Architecture.Random(Task.Space, NextRandom());
            var loss = LossOf(train);
            Apply(weights, loss.item<float>(), [.. GradientsOf(loss, weights).Select((g, i) => g ?? zeros_like(weights.Parameters[i]))]);
        }
    }

    private sealed class StepsAfterEachPath(TrainingTask task) : SamplingTrainer(task)
    {
        protected override void Step(Optimizer weights, Batch train, Batch valid)
        {
            foreach (var path in FairNas.Paths(Task.Space, NextRandom()))
            {
                Path = path;
                WeightStep(weights, train);
            }
        }
    }

    private sealed class LastGradient(TrainingTask task) : SamplingTrainer(task)
    {
        protected override void Step(Optimizer weights, Batch train, Batch valid)
        {
            var last = new Tensor?[weights.Parameters.Count];
            foreach (var path in FairNas.Paths(Task.Space, NextRandom()))
            {
                Path = path;
                last = [.. GradientsOf(LossOf(train), weights).Zip(last, (g, l) => g ?? l)];
            }

            Apply(weights, 0, last);
        }
    }

    private sealed class RandomExport(TrainingTask task) : SamplingTrainer(task)
    {
        protected override void Step(Optimizer weights, Batch train, Batch valid)
        {
            Path = Architecture.Random(Task.Space, NextRandom());
            WeightStep(weights, train);
        }

        protected override IReadOnlyList<(Architecture Architecture, double Score)> Search(Func<Architecture, double> score)
        {
            var sample = Architecture.Random(Task.Space, new SeededRandom(Task.Options.Seed));
            return [(sample, score(sample))];
        }
    }
}
