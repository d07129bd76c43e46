using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Tests.Rewriting;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class CostPenaltyTests
{
    private const double Step = 1e-5;

    [TestMethod]
    public void The_gradient_of_the_whole_penalised_loss_is_that_of_finite_differences()
    {
        foreach (var form in Enum.GetValues<PenaltyForm>())
        {
            foreach (var shape in Enum.GetValues<PenaltyShape>())
            {
                foreach (var target in new[] { 300.0, 2000.0 })
                    Assert.IsLessThan(1e-7, Deviation(new PenalisedNet(form, shape, target).Loss), $"{form} {shape} {target}");
            }
        }
    }

    [TestMethod]
    public void The_mutant_whose_cost_is_detached_from_alpha_fails_the_check_of_the_gradient()
    {
        foreach (var form in Enum.GetValues<PenaltyForm>())
            Assert.IsGreaterThan(1e-2, Deviation(new PenalisedNet(form, PenaltyShape.Linear, 300, detached: true).Loss), $"{form}");
    }

    [TestMethod]
    public void The_penalised_loss_is_that_of_the_formula()
    {
        var table = CostNets.CostOf(CostNets.Row(2)).Macs;
        var cost = new ExpectedCost(table).Of(Uniform).item<double>();
        foreach (var target in new[] { cost / 2, cost, 2 * cost })
        {
            var x = cost / target - 1;
            foreach (var (shape, n) in new[] { (PenaltyShape.Linear, x), (PenaltyShape.Positive, Math.Max(0, x)), (PenaltyShape.Negative, Math.Min(0, x)), (PenaltyShape.Absolute, Math.Abs(x)) })
            {
                Assert.AreEqual(1.5 + 0.3 * n, new CostPenalty(table, target, 0.3, PenaltyForm.Add, shape).Apply(tensor(1.5), Uniform).item<double>(), 1e-9, $"{shape} {x}");
                Assert.AreEqual(1.5 * Math.Pow(1 + n, 0.3), new CostPenalty(table, target, 0.3, PenaltyForm.Multiply, shape).Apply(tensor(1.5), Uniform).item<double>(), 1e-9, $"{shape} {x}");
            }
        }
    }

    [TestMethod]
    public void The_reward_of_a_sample_is_that_of_the_formula()
    {
        var table = CostNets.CostOf(CostNets.Row(2)).Macs;
        var architecture = Architecture.Random(table.Space, new SeededRandom(1));
        var cost = table.Of(architecture);
        foreach (var target in new[] { cost / 2, cost, 2 * cost })
        {
            var x = cost / target - 1;
            foreach (var (shape, n) in new[] { (PenaltyShape.Linear, x), (PenaltyShape.Positive, Math.Max(0, x)), (PenaltyShape.Negative, Math.Min(0, x)), (PenaltyShape.Absolute, Math.Abs(x)) })
            {
                foreach (var reward in new[] { 0.8, -0.8 })
                {
                    Assert.AreEqual(reward - 0.3 * n, new CostPenalty(table, target, 0.3, PenaltyForm.Add, shape).ShapeReward(reward, architecture), 1e-12, $"{shape} {x}");
                    Assert.AreEqual(reward * Math.Pow(1 + n, reward > 0 ? -0.3 : 0.3), new CostPenalty(table, target, 0.3, PenaltyForm.Multiply, shape).ShapeReward(reward, architecture), 1e-12, $"{shape} {x}");
                }
            }
        }
    }

    [TestMethod]
    public void A_loss_of_another_type_keeps_its_type()
    {
        var table = CostNets.CostOf(CostNets.Row(2)).Macs;
        var penalised = new CostPenalty(table, 100, 0.3).Apply(tensor(1.5f), c => Uniform(c).to_type(ScalarType.Float32));
        Assert.AreEqual(ScalarType.Float32, penalised.dtype);
    }

    [TestMethod]
    public void The_expected_cost_that_descent_reaches_falls_with_the_weight()
    {
        foreach (var form in Enum.GetValues<PenaltyForm>())
        {
            var reached = new[] { 1e-3, 0.3, 1, 3 }.Select(weight => new PenalisedNet(form, PenaltyShape.Linear, 500, weight: weight).Descend()).ToList();
            for (var i = 1; i < reached.Count; i++)
                Assert.IsLessThan(reached[i - 1], reached[i], $"{form}: {string.Join(' ', reached)}");
        }
    }

    [TestMethod]
    public void A_reward_falls_with_the_cost_whatever_its_sign()
    {
        var table = CostNets.CostOf(CostNets.Row(2)).Macs;
        var architectures = OneHot.All(table.Space).DistinctBy(table.Of).OrderBy(table.Of).ToList();
        foreach (var form in Enum.GetValues<PenaltyForm>())
        {
            var penalty = new CostPenalty(table, 150, 0.5, form);
            foreach (var reward in new[] { 0.8, -0.8 })
            {
                var shaped = architectures.Select(a => penalty.ShapeReward(reward, a)).ToList();
                CollectionAssert.AreEqual(shaped.OrderDescending().ToList(), shaped, $"{form} {reward}");
                Assert.IsLessThan(shaped[0], shaped[^1]);
            }
        }
    }

    [TestMethod]
    public void A_multiplied_reward_is_that_of_MnasNet()
    {
        var table = CostNets.CostOf(CostNets.Row(2)).Macs;
        var architecture = Architecture.Random(table.Space, new SeededRandom(1));
        var expected = 0.8 * Math.Pow(table.Of(architecture) / 150, -0.07);
        Assert.AreEqual(expected, new CostPenalty(table, 150, 0.07, PenaltyForm.Multiply).ShapeReward(0.8, architecture), 1e-12);
        Assert.AreEqual(0.8 - 0.07 * (table.Of(architecture) / 150 - 1), new CostPenalty(table, 150, 0.07).ShapeReward(0.8, architecture), 1e-12);
    }

    private static Tensor Uniform(Choice choice) => full([choice.Candidates.Count], 1.0 / choice.Candidates.Count, ScalarType.Float64);

    // The largest relative difference between the gradient and central differences.
    private static double Deviation(Func<Tensor, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        var start = new double[10];
        for (var i = 0; i < start.Length; i++)
            start[i] = 0.5 * Math.Sin(i + 1);
        var alpha = tensor(start, requires_grad: true);
        var gradient = autograd.grad([loss(alpha)], [alpha])[0].data<double>().ToArray();
        return Enumerable.Range(0, start.Length).Max(i =>
        {
            var slope = (At(i, Step) - At(i, -Step)) / (2 * Step);
            return Math.Abs(gradient[i] - slope) / (1 + Math.Abs(slope));
        });

        double At(int index, double by)
        {
            var moved = (double[])start.Clone();
            moved[index] += by;
            return loss(tensor(moved)).item<double>();
        }
    }

    // A loss in α: two choices of five mix fixed numbers, squared against a target, and the cost of a model of two such choices is penalised.
    private sealed class PenalisedNet(PenaltyForm form, PenaltyShape shape, double target, double weight = 0.7, bool detached = false)
    {
        private readonly CostPenalty penalty = new(CostNets.CostOf(CostNets.Row(2)).Macs, target, weight, form, shape);
        private readonly double[] outputs = [0.3, 2.0, -1.0, 0.7, 1.1];

        public Tensor Loss(Tensor alpha)
        {
            var p = alpha.view(2, 5).softmax(1);
            var loss = (p * tensor(outputs)).sum([1L]).prod(0L).sub(tensor(2.5)).pow(tensor(2.0)).Plus(1.0);
            return penalty.Apply(loss, c =>
            {
                var of = p[c.Label == "c0" ? 0 : 1];
                return detached ? of.detach() : of;
            });
        }

        public double Descend()
        {
            using var scope = NewDisposeScope();
            var alpha = zeros([10], ScalarType.Float64, requires_grad: true);
            var rate = tensor(0.1);
            for (var i = 0; i < 100; i++)
            {
                using var step = NewDisposeScope();
                var gradient = autograd.grad([Loss(alpha)], [alpha])[0];
                using (no_grad())
                    alpha.sub_(gradient * rate);
            }

            var p = alpha.detach().view(2, 5).softmax(1);
            return new ExpectedCost(penalty.Table).Of(c => p[c.Label == "c0" ? 0 : 1]).item<double>();
        }
    }
}
