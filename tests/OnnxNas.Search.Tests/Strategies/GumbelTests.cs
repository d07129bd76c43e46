using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class GumbelTests
{
    private static readonly SearchOptions Options = new() { Strategy = "gumbel", Epochs = 3, BatchSize = 8, Seed = 3, ArchLr = 0.05 };

    [TestMethod]
    [DataRow(false, 5.0), DataRow(true, 0.1)]
    public void The_weights_are_the_softmax_of_alpha_and_noise_over_the_temperature_which_ends_in_the_last_epoch(bool isFitted, double temperature)
    {
        using var scope = NewDisposeScope();
        using var gumbel = new Gumbel(SmallTask.Of(Four(), Options));
        using var twin = new Gumbel(SmallTask.Of(Four(), Options));
        if (isFitted)
        {
            gumbel.Fit();
            twin.Fit();
        }

        var noise = Injected(twin);
        var weights = Softmax([.. Alpha(gumbel, "op").Select((a, k) => (a + noise[k]) / temperature)]);
        var outputs = Run(gumbel);
        Assert.IsLessThan(1e-6, Deviation(outputs, weights));
        Assert.IsGreaterThan(1e-2, Deviation(outputs, Softmax(Alpha(gumbel, "op"))));
    }

    [TestMethod]
    public void The_gradient_of_alpha_is_that_of_the_formula_at_the_noisy_weights_over_the_temperature()
    {
        using var scope = NewDisposeScope();
        using var gumbel = new Gumbel(SmallTask.Of(Four(), Options));
        using var twin = new Gumbel(SmallTask.Of(Four(), Options));
        double[] alpha = [0.5, 0.1, -0.3, 0.2];
        Set(gumbel, "op", alpha);
        for (var i = 0; i < 5; i++)
        {
            var noise = Injected(twin);
            var outputs = Run(gumbel);
            var gradient = GradientStep.Of(outputs[0].square().mean(), gumbel.Supernet.ArchitectureParameters)[0]!.ToDoubles();
            var slopes = Slopes(outputs, zeros_like(outputs[0]));
            Assert.IsLessThan(1e-9, Error(Softmax([.. alpha.Zip(noise, (a, g) => (a + g) / 5)]), 5));
            // The mutants without temperature in the derivative, or without noise.
            Assert.IsGreaterThan(1e-3, Error(Softmax([.. alpha.Zip(noise, (a, g) => (a + g) / 5)]), 1));
            Assert.IsGreaterThan(1e-4, Error(Softmax([.. alpha.Select(a => a / 5)]), 5));

            double Error(double[] p, double temperature)
            {
                var mean = p.Zip(slopes).Sum(z => z.First * z.Second);
                return Enumerable.Range(0, 4).Max(k => Math.Abs(p[k] * (slopes[k] - mean) / temperature - gradient[k]));
            }
        }
    }

    [TestMethod]
    public void Evaluation_has_no_noise()
    {
        using var scope = NewDisposeScope();
        using var gumbel = new Gumbel(SmallTask.Of(Four(), Options));
        Set(gumbel, "op", 1, 2, 3, 4);
        Assert.IsLessThan(1e-9, Deviation(Run(gumbel, training: false), Softmax(1 / 5.0, 2 / 5.0, 3 / 5.0, 4 / 5.0)));
    }

    [TestMethod]
    public void Each_forward_run_draws_anew_and_once_a_label()
    {
        using var scope = NewDisposeScope();
        using var gumbel = new Gumbel(SmallTask.Of(Twice(), Options));
        var (first, second) = (Run(gumbel), Run(gumbel));
        Assert.IsGreaterThan(1e-3, Difference(first[0], second[0]));
        Assert.AreEqual(0, BetweenMarkers(gumbel));
    }

    [TestMethod]
    public void The_mutant_that_draws_once_a_marker_fails_the_check_of_the_label()
    {
        using var scope = NewDisposeScope();
        using var mutant = new Mutant(SmallTask.Of(Twice(), Options), isPerMarker: true, Noisy);
        Assert.IsGreaterThan(1e-3, BetweenMarkers(mutant));
    }

    [TestMethod]
    public void The_arg_max_is_distributed_as_the_softmax_of_alpha()
    {
        using var gumbel = new Gumbel(SmallTask.Of(Counter(), Options with { Temperature = 1e-3, MinTemperature = 1e-3 }));
        AreDrawnFrom([0.1, 0.2, 0.3, 0.4], Counts(gumbel));
    }

    [TestMethod]
    public void Mutants_with_other_noise_fail_the_check_of_the_distribution()
    {
        var task = SmallTask.Of(Counter(), Options);
        using var flipped = new Mutant(task, isPerMarker: false, r => -Noisy(r));
        AreNotDrawnFrom([0.1, 0.2, 0.3, 0.4], Counts(flipped));
        using var gaussian = new Mutant(task, isPerMarker: false, r => r.NextGaussian());
        AreNotDrawnFrom([0.1, 0.2, 0.3, 0.4], Counts(gaussian));
        using var right = new Mutant(task, isPerMarker: false, Noisy);
        AreDrawnFrom([0.1, 0.2, 0.3, 0.4], Counts(right));
    }

    [TestMethod]
    public void Where_any_number_may_be_chosen_each_gate_opens_with_its_own_probability()
    {
        var net = new NetBuilder(1, ElementType.Float64);
        var x = net.Input("x", N, 4);
        var model = net.Build((net.InputChoice("any", 0, "sum", net.Constant("one", [1, 4], _ => 1), net.Constant("two", [1, 4], _ => 2)), [N, 4]), (net.Op("Neg", x), [N, 4]));
        using var gumbel = new Gumbel(SmallTask.Of(model, Options with { Temperature = 1e-3, MinTemperature = 1e-3 }));
        Set(gumbel, "any", Math.Log(0.3 / 0.7), Math.Log(0.6 / 0.4));
        AreDrawnFrom([0.7 * 0.4, 0.3 * 0.4, 0.7 * 0.6, 0.3 * 0.6], Counts(gumbel));
    }

    [TestMethod]
    public void A_straight_line_reaches_its_last_value_in_the_last_epoch()
    {
        CollectionAssert.AreEqual((double[])[5, 4, 3, 2, 1], Enumerable.Range(0, 5).Select(e => Schedule.Linear(5, 1, e, 5)).ToArray());
        Assert.AreEqual(1, Schedule.Linear(5, 1, 0, 1));
    }

    // The next draw of a trainer, made into Gumbel noise here.
    private static double[] Injected(Gumbel twin)
    {
        var random = twin.Task.NextRandom();
        return [.. Enumerable.Range(0, 4).Select(_ => -Math.Log(-Math.Log(((random.NextUInt64() >> 11) + 0.5) / (1UL << 53))))];
    }

    // One label at two markers that see the same candidates.
    private static Model Twice()
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        Value[] candidates = [net.Op("Tanh", x), net.Op("Neg", x)];
        return net.Build((net.LayerChoice("s", null, candidates), [N, 4]), (net.LayerChoice("s", null, candidates), [N, 4]));
    }

    private static int[] Counts(OneShotTrainer trainer)
    {
        if (trainer.Task.Space.Choices is [LayerChoice])
            Set(trainer, "op", Math.Log(0.1), Math.Log(0.2), Math.Log(0.3), Math.Log(0.4));
        var counts = new int[4];
        trainer.Supernet.Module.Training = true;
        using var off = no_grad();
        for (var i = 0; i < 2000; i++)
        {
            using var scope = NewDisposeScope();
            counts[(int)Math.Round(Run(trainer)[0].flatten()[0].item<double>())]++;
        }

        return counts;
    }

    private static double BetweenMarkers(OneShotTrainer trainer) => Enumerable.Range(0, 20).Select(_ => Run(trainer)).Max(o => Difference(o[0], o[1]));

    private static double Deviation(Tensor[] outputs, double[] weights) =>
        Difference(outputs[0], outputs.Skip(1).Select((o, k) => o * weights[k]).Aggregate((a, b) => a + b));

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<double>();

    private static double Noisy(SeededRandom random) => -Math.Log(-Math.Log(random.NextDouble() + 1e-12));

    private sealed class Mutant : RelaxedTrainer
    {
        private readonly bool isPerMarker;
        private readonly Func<SeededRandom, double> noise;
        private readonly SeededRandom random = new(5);

        public Mutant(TrainingTask task, bool isPerMarker, Func<SeededRandom, double> noise) : base(task)
        {
            (this.isPerMarker, this.noise) = (isPerMarker, noise);
            Relax();
        }

        protected override Value Logits(Choice choice, Node marker)
        {
            var n = choice.Candidates.Count;
            var drawn = Supernet.Drawn(choice, isPerMarker ? $"noise/{marker.Output.Name}" : "noise", new TensorType(ElementType.Float64, new Shape(n)),
                () => tensor(Enumerable.Range(0, n).Select(_ => noise(random)).ToArray()));
            var sum = marker.Graph.Call("Add", [Alpha(choice), drawn], before: marker);
            return marker.Graph.Call("Mul", [sum, marker.Graph.AddConstant("steep", TensorData.Scalar(1000.0))], before: marker);
        }
    }
}
