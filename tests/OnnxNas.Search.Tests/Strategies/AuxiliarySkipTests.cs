using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class AuxiliarySkipTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly SearchOptions Options = new() { Epochs = 5, BatchSize = 8, Seed = 3, ArchLr = 0.05, Temperature = 1, MinTemperature = 1, AuxiliarySkip = true };

    public static IEnumerable<object[]> Others => StrategyCatalog.All.Select(s => s.Name).Except(["darts", "gumbel", "pc-darts"]).Select(s => new object[] { s });

    [TestMethod]
    [DataRow("darts"), DataRow("gumbel"), DataRow("pc-darts")]
    public void Beside_the_mix_there_is_x_with_a_weight_that_falls_from_one_to_zero_in_the_last_epoch(string strategy)
    {
        var ear = new SmallTask();
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(Model(), Options with { Strategy = strategy }, ear));
        var betas = new List<(double Skip, double Error, double Plain)>();
        ear.AfterStep = () => betas.Add(Beside(trainer));
        trainer.Fit();
        var steps = trainer.Task.StepsPerEpoch;
        Assert.HasCount(5 * steps, betas);
        foreach (var (i, (beta, error, plain)) in betas.Index())
        {
            Assert.AreEqual(1 - i / steps / 4.0, beta, 1e-5, $"step {i}");
            Assert.IsLessThan(1e-5, error, "What is beside the mix is a multiple of x, and nothing else.");
            Assert.IsLessThan(1e-5, plain, "A choice that offers no identity is left alone, whatever its candidates are called.");
        }

        // Nothing of it is left.
        Assert.AreEqual(0, Beside(trainer).Skip, 1e-6);
        var trained = Model();
        trainer.Supernet.WriteBack(trained);
        var winner = Pruner.Prune(trained, trainer.Export());
        Assert.IsTrue(winner.Graph.Nodes.All(n => n.Domain == ""));
        CollectionAssert.AreEqual((string[])["x"], winner.Graph.Inputs.Where(i => i.Initializer is null).Select(i => i.Name).ToArray());
    }

    [TestMethod]
    public void The_gradient_of_alpha_is_that_of_the_mix_with_x_beside_it()
    {
        // dL/da_i = p_i (<g, o_i> - sum_j p_j <g, o_j>), where g is taken at the sum with x: the mutant that leaves x out has another g.
        var model = Single();
        using var with = new Darts(SmallTask.Of(model, Options with { Epochs = 2 }));
        using var without = new Darts(SmallTask.Of(model, Options with { Epochs = 2, AuxiliarySkip = false }));
        using var scope = NewDisposeScope();
        var x = TestTensors.Normal(9, 6, 4).ToTorch();
        var target = TestTensors.Normal(10, 6, 4).ToTorch();
        var (a, b) = (Gradient(with), Gradient(without));
        var alpha = with.Supernet.ArchitectureParameters[0].ToTensorData().ToDoubles();
        var p = alpha.Select(v => Math.Exp(v) / alpha.Sum(Math.Exp)).ToArray();
        Tensor[] o = [x.tanh(), x, x.sin()];
        var expected = Formula(1);
        for (var k = 0; k < 3; k++)
            Assert.AreEqual(expected[k], a[k], 1e-5);
        Assert.IsGreaterThan(1e-3, a.Zip(b, (v, w) => Math.Abs(v - w)).Max());

        double[] Gradient(Darts darts)
        {
            var loss = nn.functional.mse_loss(darts.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = x })[0], target);
            return autograd.grad([loss], [darts.Supernet.ArchitectureParameters[0]], allow_unused: true)[0].ToTensorData().ToDoubles();
        }

        double[] Formula(double beta)
        {
            var y = x.Times(beta);
            for (var k = 0; k < 3; k++)
                y += o[k].Times(p[k]);
            var g = (y - target).Times(2.0 / 24);
            var inner = o.Select(c => (g * c).sum().to_type(ScalarType.Float64).item<double>()).ToArray();
            return [.. inner.Select((v, k) => p[k] * (v - inner.Select((w, j) => p[j] * w).Sum()))];
        }
    }

    [TestMethod]
    public void A_search_of_one_epoch_has_none() => Assert.AreEqual(0, AuxiliarySkip.Weight(0, 1));

    [TestMethod]
    [DynamicData(nameof(Others))]
    public void Strategies_that_run_some_candidates_only_refuse_it_and_the_eigenvalue_stop_by_name_before_training(string strategy)
    {
        foreach (var (option, options) in new[] { ("--auxiliary-skip", Options), ("--eigenvalue-stop", Options with { AuxiliarySkip = false, EigenvalueStop = true }) })
        {
            var message = Assert.ThrowsExactly<UsageException>(() => StrategyCatalog.Create(strategy, SmallTask.Of(Model(), options with { Strategy = strategy }))).Message;
            Assert.Contains(option, message);
            Assert.Contains(strategy, message);
            Assert.Contains("darts, gumbel, pc-darts", message);
        }
    }

    // The share of x in what the first choice adds to its mix, what remains of it, and what the other choice adds.
    private static (double Skip, double Error, double Plain) Beside(OneShotTrainer trainer)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        trainer.Supernet.Module.Training = false;
        var x = TestTensors.Normal(8, 6, 4).ToTorch();
        var y = trainer.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = x });
        var space = trainer.Task.Space;
        var rest = y[1] - Mix("op", y[3], x, y[4]);
        var beta = (rest * x).sum().item<float>() / x.square().sum().item<float>();
        return (beta, Largest(rest - x.Times(beta)), Largest(y[2] - Mix("plain", y[5], y[6])));

        Tensor Mix(string label, params Tensor[] outputs) =>
            outputs.Zip(trainer.Probabilities(space[label]), (o, p) => o.Times(p)).Aggregate((a, b) => a + b);

        static double Largest(Tensor t) => t.abs().max().item<float>();
    }

    private static Model Model()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        Value[] first = [net.Op("Tanh", net.Linear("a", x, 4, 4)), net.Op("Identity", x), net.Linear("b", x, 4, 4)];
        var op = net.LayerChoice("op", ["skip", "conv", "none"], first);
        Value[] second = [net.Op("Tanh", op), net.Linear("c", op, 4, 4)];
        var plain = net.LayerChoice("plain", ["skip_connect", "c"], second);
        return net.Build((net.Linear("head", plain, 4, 2), [N, 2]), (op, [N, 4]), (plain, [N, 4]), (first[0], [N, 4]), (first[2], [N, 4]), (second[0], [N, 4]), (second[1], [N, 4]));
    }

    private static Model Single()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        return net.Build((net.LayerChoice("op", null, net.Op("Tanh", x), x, net.Op("Sin", x)), [N, 4]));
    }
}
