using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class ProxylessTests
{
    private static readonly double[] P = [0.1, 0.2, 0.3, 0.4];
    private static readonly SearchOptions Options = new() { Strategy = "proxyless", Epochs = 1, BatchSize = 1, Seed = 3, ArchLr = 0.05, ArchWeightDecay = 0.1, Lr = 1e-3, WeightDecay = 0.1 };

    [TestMethod]
    public void Two_paths_are_drawn_without_replacement_in_proportion_to_their_probabilities()
    {
        var counts = new int[6];
        Watch(Options with { ArchLr = 1e-9 }, 1500, (before, after, _) => counts[Array.IndexOf(Pairs, Moved(before, after))]++);
        AreDrawnFrom([.. Pairs.Select(s => P[s.A] * P[s.B] * (1 / (1 - P[s.A]) + 1 / (1 - P[s.B])))], counts);
    }

    [TestMethod]
    public void A_step_of_the_architecture_moves_two_probabilities_and_keeps_their_sum_and_all_others()
    {
        var steps = 0;
        Watch(Options, 50, (before, after, _) =>
        {
            steps++;
            Assert.IsLessThan(1e-12, Disturbance(before, after));
            Assert.IsGreaterThan(1e-6, Softmax(before).Zip(Softmax(after)).Max(p => Math.Abs(p.First - p.Second)));
        });
        Assert.AreEqual(50, steps);
    }

    [TestMethod]
    public void Mutants_that_do_not_shift_the_two_or_shift_them_the_other_way_disturb_the_others()
    {
        // One step of the two by hand, as the paper has it, then with each fault.
        double[] before = [0.1, -0.3, 0.4, 0.2], moved = [0.4, -0.3, 0.1, 0.2];
        moved[0] += 0.1;
        var shift = Math.Log((Math.Exp(moved[0]) + Math.Exp(moved[2])) / (Math.Exp(before[0]) + Math.Exp(before[2])));
        double[] By(double factor) => [moved[0] - factor * shift, moved[1], moved[2] - factor * shift, moved[3]];
        Assert.IsLessThan(1e-12, Disturbance(before, By(1)));
        Assert.IsGreaterThan(1e-3, Disturbance(before, By(0)));
        Assert.IsGreaterThan(1e-3, Disturbance(before, By(-1)));
    }

    [TestMethod]
    [DataRow("two-path"), DataRow("full")]
    public void The_gradient_of_alpha_is_that_of_the_formula(string form)
    {
        var seen = new HashSet<int>();
        for (var seed = 0; seed < 12; seed++)
        {
            using var scope = NewDisposeScope();
            using var trainer = new Proxyless(SmallTask.Of(Four(), Options with { Seed = seed, ProxylessGradient = form, ArchWeightDecay = 0 }));
            Set(trainer, "op", [.. P.Select(v => Math.Log(v))]);
            var gradient = ArchitectureGradient(trainer, out var outputs, out var target);
            var sampled = (int[])[.. Enumerable.Range(0, 4).Where(k => gradient[k] != 0)];
            Assert.HasCount(form == "full" ? 4 : 2, sampled);
            var q = Softmax([.. sampled.Select(k => Math.Log(P[k]))]);

            // One of the branches is on; the output, and with it ∂L/∂y, is that branch's.
            var fits = sampled.Where(on =>
            {
                var slopes = Slopes([outputs[on + 1], .. outputs.Skip(1)], target);
                var mean = sampled.Select((k, i) => q[i] * slopes[k]).Sum();
                return sampled.Select((k, i) => Math.Abs(q[i] * (slopes[k] - mean) - gradient[k])).Max() < 1e-9;
            }).ToList();
            Assert.HasCount(1, fits, $"seed {seed}: {string.Join(' ', gradient)}");
            seen.Add(fits[0]);
        }

        Assert.IsGreaterThanOrEqualTo(3, seen.Count, "The branch that is on is not drawn.");
    }

    [TestMethod]
    public void Which_of_the_two_paths_is_on_is_drawn_by_their_softmax()
    {
        using var trainer = new Proxyless(SmallTask.Of(Counter(), Options with { ArchWeightDecay = 0 }));
        Set(trainer, "op", [.. P.Select(v => Math.Log(v))]);
        using var alphas = trainer.Alphas = new AdamOptimizer(trainer.Supernet.ArchitectureParameters, 1e-12, 0.5, 0.999);
        var counts = new int[12];
        foreach (var (train, valid) in trainer.Task.Batches(0).Take(1))
        {
            var target = valid.Label.ToDoubles().Average();
            for (var i = 0; i < 1500; i++)
            {
                alphas.Reset();
                trainer.StepArchitecture(train, valid);
                var gradient = alphas.State(0, 0).ToDoubles().Select(m => 2 * m).ToArray();
                var pair = Array.FindIndex(Pairs, s => Enumerable.Range(0, 4).All(k => gradient[k] != 0 == (k == s.A || k == s.B)));
                var (a, b) = Pairs[pair];
                // The gradient is q_a·q_b·(a − b)·∂L/∂y, and ∂L/∂y is 2·(y − t) of the number y that is on.
                var y = gradient[a] / (P[a] * P[b] / Math.Pow(P[a] + P[b], 2) * (a - b)) / 2 + target;
                Assert.IsLessThan(1e-6, Math.Min(Math.Abs(y - a), Math.Abs(y - b)));
                counts[2 * pair + (Math.Abs(y - a) < 1e-6 ? 0 : 1)]++;
            }
        }

        AreDrawnFrom(Expected((a, b) => P[a] / (P[a] + P[b])), counts);
        // The mutants that toss a coin, or turn the two around.
        AreNotDrawnFrom(Expected((_, _) => 0.5), counts);
        AreNotDrawnFrom(Expected((a, b) => P[b] / (P[a] + P[b])), counts);

        static double[] Expected(Func<int, int, double> first) =>
            [.. Pairs.SelectMany(s => new[] { first(s.A, s.B), 1 - first(s.A, s.B) }.Select(q => q * P[s.A] * P[s.B] * (1 / (1 - P[s.A]) + 1 / (1 - P[s.B]))))];
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean")]
    public void Of_several_inputs_the_gradient_is_that_of_their_relaxation_at_the_drawn_ones(string reduction)
    {
        using var scope = NewDisposeScope();
        using var trainer = new Proxyless(SmallTask.Of(Inputs(reduction, 2), Options with { ArchWeightDecay = 0 }));
        Set(trainer, "in", 0.3, -0.2, 0.1);
        var p = Softmax(0.3, -0.2, 0.1);
        var gradient = ArchitectureGradient(trainer, out var outputs, out var target);
        var n = reduction == "sum" ? 2 : 1;
        var fits = ((int, int)[])[(0, 1), (0, 2), (1, 2)];
        Assert.HasCount(1, fits.Where(s =>
        {
            var y = Joined(reduction, [s.Item1, s.Item2], outputs);
            var slopes = Slopes([y, .. outputs.Skip(1)], target);
            var mean = p.Zip(slopes).Sum(z => z.First * z.Second);
            return Enumerable.Range(0, 3).Max(i => Math.Abs(n * p[i] * (slopes[i] - mean) - gradient[i])) < 1e-9;
        }));
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean")]
    public void Where_any_number_may_be_chosen_each_gate_learns_what_it_adds_to_the_drawn_ones(string reduction)
    {
        double[] alpha = [0.3, -0.2, 0.1], p = [.. alpha.Select(a => 1 / (1 + Math.Exp(-a)))];
        int[][] sets = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
        var seen = new HashSet<int>();
        for (var seed = 0; seed < 12; seed++)
        {
            using var scope = NewDisposeScope();
            using var trainer = new Proxyless(SmallTask.Of(Inputs(reduction, 0), Options with { Seed = seed, ArchWeightDecay = 0 }));
            Set(trainer, "in", alpha);
            var gradient = ArchitectureGradient(trainer, out var outputs, out var target);
            var fits = sets.Where(open =>
            {
                var y = Joined(reduction, open, outputs);
                var effects = GateEffects(reduction, open, Slopes([y, .. outputs.Skip(1)], target));
                return Enumerable.Range(0, 3).Max(i => Math.Abs(p[i] * (1 - p[i]) * effects[i] - gradient[i])) < 1e-9;
            }).ToList();
            Assert.HasCount(1, fits, $"seed {seed}: {string.Join(' ', gradient)}");
            seen.Add(fits[0].Length);
        }

        Assert.IsGreaterThan(1, seen.Count);
    }

    [TestMethod]
    public void A_step_of_the_weights_is_that_of_the_plain_network_and_leaves_all_else_bit_for_bit()
    {
        var model = Four();
        using var trainer = new Proxyless(SmallTask.Of(model, Options with { WarmupEpochs = 0, ArchLr = 1e-12, WeightDecay = 0, Momentum = 0 }, samples: 1));
        Assert.AreEqual(1, Learnt(trainer, model));
    }

    [TestMethod]
    public void The_mutant_whose_candidates_never_learn_fails_the_check_of_the_weights()
    {
        var model = Four();
        using var mutant = new Unlearning(SmallTask.Of(model, Options with { ArchLr = 1e-12, WeightDecay = 0, Momentum = 0 }, samples: 1));
        Assert.AreEqual(0, Learnt(mutant, model));
    }

    [TestMethod]
    public void In_the_full_form_a_branch_that_is_off_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        var model = Four();
        using var trainer = new HalfStopped(SmallTask.Of(model, Options));
        var outputs = Run(trainer);
        var parameters = trainer.Supernet.Module.Parameters;
        var gradients = GradientStep.Of(outputs[0].sum(), [parameters["a.weight"], parameters["b.weight"], .. trainer.Supernet.ArchitectureParameters]);
        Assert.IsNotNull(gradients[0]);
        Assert.IsNull(gradients[1]);
        Assert.IsTrue(gradients[2]!.ToDoubles()[1] != 0, "Its probability learns nevertheless.");
    }

    [TestMethod]
    public void In_the_full_form_a_choice_within_a_branch_that_is_off_stays_bit_for_bit_under_momentum_and_decay()
    {
        Assert.IsTrue(Stays(task => new Proxyless(task)));
        Assert.IsFalse(Stays(task => new Flowing(task)));

        // All but certainly the outer choice is its second candidate.
        static bool Stays(Func<TrainingTask, GradientTrainer> create)
        {
            var net = new NetBuilder(2, ElementType.Float64);
            var x = net.Input("x", N, 4);
            var inner = net.LayerChoice("inner", null, net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4)));
            var model = net.Build((net.LayerChoice("outer", null, inner, net.Linear("c", x, 4, 4)), [N, 4]));
            using var trainer = create(SmallTask.Of(model, Options with { BatchSize = 8, ProxylessGradient = "full" }));
            Set(trainer, "outer", -30, 30);
            Set(trainer, "inner", 0.3, -0.2);
            trainer.Fit();
            return Alpha(trainer, "inner").SequenceEqual([0.3, -0.2]);
        }
    }

    private static readonly (int A, int B)[] Pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];

    private static (int A, int B) Moved(double[] before, double[] after)
    {
        var moved = Enumerable.Range(0, 4).Where(k => before[k] != after[k]).ToList();
        Assert.HasCount(2, moved);
        return (moved[0], moved[1]);
    }

    // How far the probabilities that belong to neither of the two moved.
    private static double Disturbance(double[] before, double[] after)
    {
        var (a, b) = Moved(before, after);
        var (p, q) = (Softmax(before), Softmax(after));
        return Enumerable.Range(0, 4).Where(k => k != a && k != b).Max(k => Math.Abs(p[k] - q[k]));
    }

    // Fits, and tells of α before and after each step.
    private static void Watch(SearchOptions options, int steps, Action<double[], double[], Proxyless> told)
    {
        var ear = new Ear();
        using var trainer = new Proxyless(Task(Four(), options, ear, steps));
        Set(trainer, "op", [.. P.Select(v => Math.Log(v))]);
        var before = Alpha(trainer, "op");
        ear.OnStep = () =>
        {
            var after = Alpha(trainer, "op");
            told(before, after, trainer);
            before = after;
        };
        trainer.Fit();
    }

    // The gradient that the first step of the architecture used, out of Adam's first moment: half of it.
    private static double[] ArchitectureGradient(Proxyless trainer, out Tensor[] outputs, out Tensor target)
    {
        using var weights = trainer.Task.Options.NewWeightOptimizer(trainer.Supernet.Weights);
        using var alphas = new AdamOptimizer(trainer.Supernet.ArchitectureParameters, 0.05, 0.5, 0.999);
        (trainer.Weights, trainer.Alphas) = (weights, alphas);
        foreach (var (train, valid) in trainer.Task.Batches(0).Take(1))
        {
            trainer.Supernet.Module.Training = true;
            outputs = [.. trainer.Supernet.Forward(valid.Inputs).Select(o => o.detach().DetachFromDisposeScope())];
            target = valid.Label.DetachFromDisposeScope();
            trainer.StepArchitecture(train, valid);
            return [.. alphas.State(0, 0).ToDoubles().Select(m => 2 * m)];
        }

        throw new InvalidOperationException("There is no batch.");
    }

    // How many candidates' weights moved in one step, which must be by −lr times the gradient of the plain network of that candidate.
    private static int Learnt(GradientTrainer trainer, Model model)
    {
        var start = trainer.Supernet.Module.Parameters.ToDictionary(p => p.Key, p => p.Value.ToDoubles());
        trainer.Fit();
        var moved = "abcd".Where(c => !start[$"{c}.weight"].SequenceEqual(trainer.Supernet.Module.Parameters[$"{c}.weight"].ToDoubles())).ToList();
        var space = SearchSpace.Read(model);
        foreach (var letter in moved)
        {
            var plain = Pruner.Prune(model, new(space, new Dictionary<string, IReadOnlyList<int>> { ["op"] = ["abcd".IndexOf(letter, StringComparison.Ordinal)] }));
            using var module = new GraphModule(plain) { Training = true };
            using var scope = NewDisposeScope();
            foreach (var (train, _) in trainer.Task.Batches(0).Take(1))
            {
                var names = new[] { $"{letter}.weight", $"{letter}.bias" };
                var gradients = GradientStep.Of((module.Forward(train.Inputs)[0] - train.Label).square().mean(), [.. names.Select(n => module.Parameters[n])]);
                foreach (var (i, name) in names.Index())
                {
                    var (expected, now) = (gradients[i]!.ToDoubles(), trainer.Supernet.Module.Parameters[name].ToDoubles());
                    for (var e = 0; e < now.Length; e++)
                        Assert.AreEqual(start[name][e] - 1e-3 * expected[e], now[e], 1e-12);
                }
            }
        }

        return moved.Count;
    }

    private static TrainingTask Task(Model model, SearchOptions options, ITrainingProgress ear, int samples) =>
        new(SearchSpace.Read(model), SmallTask.Data(model, samples, 1), SmallTask.Data(model, samples, 2), Loss.Named("mse"), () => Search.Metrics.MetricSet.Default("mse"), options, ear, CPU, default);

    private sealed class Ear : ITrainingProgress
    {
        public Action OnStep { get; set; } = () => { };

        public void Step(string phase, int step, int steps, double loss, double milliseconds) => OnStep();

        public void Epoch(EpochReport report)
        {
        }
    }

    // One path, whose output is detached.
    private sealed class Unlearning : GradientTrainer
    {
        public Unlearning(TrainingTask task) : base(task) => Sample(_ => new([0], [ones([], dtype: ScalarType.Float64)], [0]));
    }

    // The full form at the sample 1 of two candidates, whose branch that is off has a gradient of zero.
    private sealed class Flowing : GradientTrainer
    {
        public Flowing(TrainingTask task) : base(task) => Sample(choice =>
        {
            var p = ProbabilityTensor(choice).unbind(0);
            return new([0, 1], [p[0] - p[0].detach(), p[1] - p[1].detach() + 1]);
        });
    }

    // The full form at the sample 0 of two candidates.
    private sealed class HalfStopped : GradientTrainer
    {
        public HalfStopped(TrainingTask task) : base(task) => Sample(choice =>
        {
            var p = ProbabilityTensor(choice).unbind(0);
            return new([0, 1], [p[0] - p[0].detach() + 1, p[1] - p[1].detach()], [1]);
        });
    }
}
