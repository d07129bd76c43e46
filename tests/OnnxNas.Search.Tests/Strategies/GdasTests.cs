using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using static OnnxNas.Search.Tests.Strategies.Sampling;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class GdasTests
{
    private static readonly SearchOptions Options = new() { Strategy = "gdas", Epochs = 3, BatchSize = 8, Seed = 3, ArchLr = 0.05, Temperature = 2, MinTemperature = 2 };

    [TestMethod]
    public void A_run_is_exactly_one_branch_and_no_other_gets_a_gradient()
    {
        using var scope = NewDisposeScope();
        using var gdas = new Gdas(SmallTask.Of(Four(), Options));
        for (var i = 0; i < 10; i++)
            Assert.IsTrue(IsOneBranch(gdas));
    }

    [TestMethod]
    public void The_gradient_of_alpha_is_that_of_the_soft_weight_of_the_branch_that_ran()
    {
        using var scope = NewDisposeScope();
        using var gdas = new Gdas(SmallTask.Of(Four(), Options));
        using var twin = new Gdas(SmallTask.Of(Four(), Options));
        Set(gdas, "op", 0.5, 0.1, -0.3, 0.2);
        for (var i = 0; i < 10; i++)
            Assert.IsLessThan(1e-9, GradientError(gdas, twin.Task.NextRandom()));
    }

    [TestMethod]
    [DataRow(Fault.None, true, true), DataRow(Fault.Soft, false, true), DataRow(Fault.OneHotOnly, true, false)]
    public void Mutants_fail_the_check_of_the_branch_or_that_of_the_gradient(Fault fault, bool isOneBranch, bool hasGradient)
    {
        using var scope = NewDisposeScope();
        using var mutant = new Mutant(SmallTask.Of(Four(), Options), fault);
        using var twin = new Gdas(SmallTask.Of(Four(), Options));
        Set(mutant, "op", 0.5, 0.1, -0.3, 0.2);
        if (fault != Fault.Soft)
            Assert.AreEqual(hasGradient, GradientError(mutant, twin.Task.NextRandom()) < 1e-9);
        Assert.AreEqual(isOneBranch, IsOneBranch(mutant));
    }

    [TestMethod]
    public void The_branch_is_a_sample_of_the_softmax_of_alpha()
    {
        using var gdas = new Gdas(SmallTask.Of(Four(), Options));
        double[] p = [0.1, 0.2, 0.3, 0.4];
        Set(gdas, "op", [.. p.Select(v => Math.Log(v))]);
        var counts = new int[4];
        Sample(2000, () =>
        {
            var outputs = Run(gdas);
            counts[Enumerable.Range(0, 4).Single(k => Same(outputs[0], outputs[k + 1]))]++;
        });
        AreDrawnFrom(p, counts);
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean")]
    public void Two_of_three_inputs_are_drawn_without_replacement_and_joined(string reduction)
    {
        using var gdas = new Gdas(SmallTask.Of(Inputs(reduction, 2), Options));
        double[] p = [0.2, 0.3, 0.5];
        Set(gdas, "in", [.. p.Select(v => Math.Log(v))]);
        (int, int)[] pairs = [(0, 1), (0, 2), (1, 2)];
        var counts = new int[3];
        Sample(2000, () =>
        {
            var outputs = Run(gdas);
            counts[Array.FindIndex(pairs, s => (outputs[0] * (reduction == "mean" ? 2 : 1) - outputs[s.Item1 + 1] - outputs[s.Item2 + 1]).abs().max().item<double>() < 1e-9)]++;
        });
        AreDrawnFrom([.. pairs.Select(s => p[s.Item1] * p[s.Item2] * (1 / (1 - p[s.Item1]) + 1 / (1 - p[s.Item2])))], counts);
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean")]
    public void Of_several_inputs_the_gradient_is_that_of_their_relaxation_through_the_drawn_ones(string reduction)
    {
        using var scope = NewDisposeScope();
        using var gdas = new Gdas(SmallTask.Of(Inputs(reduction, 2), Options));
        using var twin = new Gdas(SmallTask.Of(Inputs(reduction, 2), Options));
        Set(gdas, "in", 0.3, -0.2, 0.1);
        var soft = Softmax([.. Alpha(gdas, "in").Zip(Noise.For(gdas.Task.Space["in"], twin.Task.NextRandom()), (a, g) => (a + g) / 2)]);
        var outputs = Run(gdas);
        var slopes = Slopes(outputs, zeros_like(outputs[0]));
        var gradient = GradientStep.Of(outputs[0].square().mean(), gdas.Supernet.ArchitectureParameters)[0]!.ToDoubles();
        // Of n·Σ p·x, or Σ p·x for a mean, without the one that did not run.
        var drawn = Enumerable.Range(0, 3).OrderByDescending(k => soft[k]).Take(2);
        for (var i = 0; i < 3; i++)
            Assert.AreEqual(drawn.Sum(k => (reduction == "sum" ? 2 : 1) * soft[k] * ((i == k ? 1 : 0) - soft[i]) / 2 * slopes[k]), gradient[i], 1e-9, $"{i}");
    }

    [TestMethod]
    [DataRow("sum"), DataRow("mean")]
    public void Where_any_number_may_be_chosen_each_gate_opens_by_its_sigmoid_and_learns_what_it_adds(string reduction)
    {
        using var gdas = new Gdas(SmallTask.Of(Inputs(reduction, 0), Options));
        using var twin = new Gdas(SmallTask.Of(Inputs(reduction, 0), Options));
        double[] p = [0.3, 0.5, 0.8];
        Set(gdas, "in", [.. p.Select(v => Math.Log(v / (1 - v)))]);
        var counts = new int[5];
        for (var i = 0; i < 2000; i++)
        {
            using var scope = NewDisposeScope();
            // The noise drawn again; where all are closed, the widest is taken.
            var soft = Alpha(gdas, "in").Zip(Noise.For(gdas.Task.Space["in"], twin.Task.NextRandom()), (a, g) => 1 / (1 + Math.Exp(-(a + g) / 2))).ToArray();
            var open = Enumerable.Range(0, 3).Where(k => soft[k] > 0.5).DefaultIfEmpty(Enumerable.Range(0, 3).MaxBy(k => soft[k])).ToList();
            counts[open.Count == 1 ? 4 : Array.FindIndex(Several, s => s.SequenceEqual(open))]++;
            var outputs = Run(gdas);
            var y = Joined(reduction, open, outputs);
            Assert.IsLessThan(1e-12, (outputs[0] - y).abs().max().item<double>());
            if (i >= 50)
                continue;
            var effects = GateEffects(reduction, open, Slopes([y, .. outputs.Skip(1)], zeros_like(y)));
            var gradient = GradientStep.Of(outputs[0].square().mean(), gdas.Supernet.ArchitectureParameters)[0]?.ToDoubles() ?? new double[3];
            for (var k = 0; k < 3; k++)
                Assert.AreEqual(open.Contains(k) ? soft[k] * (1 - soft[k]) / 2 * effects[k] : 0, gradient[k], 1e-9, $"{string.Join(' ', open)}: {k}");
        }

        var several = Several.Select(s => Enumerable.Range(0, 3).Aggregate(1.0, (product, k) => product * (s.Contains(k) ? p[k] : 1 - p[k]))).ToList();
        AreDrawnFrom([.. several, 1 - several.Sum()], counts);
    }

    [TestMethod]
    public void Evaluation_runs_the_architecture_that_is_exported()
    {
        using var scope = NewDisposeScope();
        using var gdas = new Gdas(SmallTask.Of(Four(), Options));
        Set(gdas, "op", 0, 0, 5, 0);
        var outputs = Run(gdas, training: false);
        Assert.IsTrue(Same(outputs[0], outputs[3]));
        Assert.AreEqual("op=c", gdas.Export().ToString());
    }

    public enum Fault
    {
        None,
        Soft,
        OneHotOnly,
    }

    private static readonly int[][] Several = [[0, 1], [0, 2], [1, 2], [0, 1, 2]];

    private static void Sample(int count, Action action)
    {
        using var off = no_grad();
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            action();
        }
    }

    private static bool Same(Tensor a, Tensor b) => a.equal(b).all().item<bool>();

    private static bool IsOneBranch(GradientTrainer trainer)
    {
        var outputs = Run(trainer);
        var ran = Enumerable.Range(0, 4).Where(k => Same(outputs[0], outputs[k + 1])).ToList();
        if (ran.Count != 1)
            return false;
        var weights = trainer.Supernet.Module.Parameters.Where(p => p.Key.EndsWith(".weight", StringComparison.Ordinal)).ToList();
        var gradients = GradientStep.Of(outputs[0].sum(), [.. weights.Select(w => w.Value)]);
        return weights.Index().All(w => gradients[w.Index] is not null == (w.Item.Key == "abcd"[ran[0]] + ".weight"));
    }

    // Against p̃_k (δ_ik − p̃_i) / τ · <∂L/∂y, o_k> of the branch k that ran, the noise drawn again.
    private static double GradientError(GradientTrainer trainer, SeededRandom random)
    {
        var soft = Softmax([.. Alpha(trainer, "op").Zip(Noise.For(trainer.Task.Space["op"], random), (a, g) => (a + g) / 2)]);
        var outputs = Run(trainer);
        var target = zeros_like(outputs[0]);
        var slopes = Slopes(outputs, target);
        var k = Enumerable.Range(0, 4).MaxBy(i => soft[i]);
        var gradient = GradientStep.Of((outputs[0] - target).square().mean(), trainer.Supernet.ArchitectureParameters)[0]?.ToDoubles() ?? new double[4];
        return Enumerable.Range(0, 4).Max(i => Math.Abs(gradient[i] - soft[k] * ((i == k ? 1 : 0) - soft[i]) / 2 * slopes[k]));
    }

    private sealed class Mutant : GradientTrainer
    {
        public Mutant(TrainingTask task, Fault fault) : base(task) => Sample(choice =>
        {
            var soft = ((Supernet.ArchitectureTensor(choice) + tensor(Noise.For(choice, Task.NextRandom()))) / 2.0).softmax(0);
            var active = Architecture.Highest(choice, soft.ToDoubles());
            var weight = soft[active[0]];
            return new Mixture(active, [fault switch
            {
                Fault.Soft => weight,
                Fault.OneHotOnly => ones_like(weight),
                _ => weight - weight.detach() + 1,
            }]);
        });
    }
}
