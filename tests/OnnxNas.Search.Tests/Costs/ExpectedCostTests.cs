using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class ExpectedCostTests
{
    [TestMethod]
    public void It_is_the_mean_over_all_architectures_where_every_part_stands_under_a_chain_of_decisions()
    {
        var cost = CostNets.CostOf(CostNets.Chained());
        foreach (var table in new[] { cost.Macs, cost.Parameters })
        {
            for (var seed = 0; seed < 5; seed++)
            {
                var p = CostNets.Probabilities(table.Space, seed);
                Assert.AreEqual(Mean(table, p), Expected(table, p), 1e-9 * table.Supernet, $"{table.Kind}, seed {seed}");
            }
        }
    }

    [TestMethod]
    public void A_part_that_only_dies_by_two_decisions_together_counts_as_alive_so_that_the_cost_is_an_upper_bound()
    {
        var table = CostNets.CostOf(CostNets.Cell()).Macs;
        var p = CostNets.Probabilities(table.Space, 3);
        // The bottleneck of 'in' is read unless both others look past it.
        var missed = p["in"][0] * p["left"][1] * p["right"][1] * (2 * 4 * 20);
        Assert.IsGreaterThan(1, missed);
        Assert.AreEqual(Mean(table, p) + missed, Expected(table, p), 1e-9 * table.Supernet);
    }

    [TestMethod]
    public void It_is_never_less_than_the_mean()
    {
        var cost = CostNets.CostOf(OnnxFile.Read(RepositoryFiles.Shared("models", "nested.onnx")));
        for (var seed = 0; seed < 5; seed++)
        {
            var p = CostNets.Probabilities(cost.Macs.Space, seed);
            Assert.IsGreaterThanOrEqualTo(Mean(cost.Macs, p, firstInputs: true), Expected(cost.Macs, p, firstInputs: true) * (1 + 1e-9));
        }
    }

    [TestMethod]
    public void Inputs_count_with_the_probability_that_they_are_selected()
    {
        foreach (var (chosen, select) in new (long, Func<double, double>)[] { (0, p => p), (1, p => p), (2, p => Math.Min(1, 2 * p)), (3, p => Math.Min(1, 3 * p)) })
        {
            var net = new NetBuilder();
            var x = net.Input("x", CostNets.N, 4);
            var y = net.InputChoice("i", chosen, "sum", [.. new long[] { 5, 9, 2 }.Select(w => CostNets.Bottleneck(net, $"w{w}", x, w))]);
            var table = CostNets.CostOf(net.Build((CostNets.Bottleneck(net, "rest", y, 6), [CostNets.N, 4]))).Macs;
            double[] p = [0.7, 0.2, 0.1];
            // With all three chosen none has a condition left.
            var parts = chosen == 3 ? 5 + 9 + 2 : 5 * select(p[0]) + 9 * select(p[1]) + 2 * select(p[2]);
            Assert.AreEqual(8 * (6 + parts), Expected(table, new() { ["i"] = p }), 1e-9, $"{chosen}");
        }
    }

    [TestMethod]
    public void Its_derivative_by_a_logit_is_p_times_the_distance_of_the_candidate_from_the_mean()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        long[] widths = [5, 9, 2, 40];
        var table = CostNets.CostOf(net.Build((net.LayerChoice("c", null, [.. widths.Select(w => CostNets.Bottleneck(net, $"w{w}", x, w))]), [CostNets.N, 4]))).Macs;
        using var alpha = tensor(new[] { 0.3, -1.0, 0.8, 0.1 }, requires_grad: true);
        var p = alpha.softmax(0);
        var expected = new ExpectedCost(table).Of(_ => p);
        var gradient = autograd.grad([expected], [alpha])[0].data<double>().ToArray();
        var (probabilities, mean) = (p.data<double>().ToArray(), expected.item<double>());
        for (var i = 0; i < widths.Length; i++)
            Assert.AreEqual(probabilities[i] * (8 * widths[i] - mean), gradient[i], 1e-9);
    }

    private static double Expected(CostTable table, Dictionary<string, double[]> p, bool firstInputs = false)
    {
        using var scope = NewDisposeScope();
        return new ExpectedCost(table).Of(c => tensor(firstInputs && c is InputChoice ? FirstInputs((InputChoice)c) : p[c.Label])).item<double>();
    }

    // Enumerates; an InputChoice of several inputs is fixed to its first ones.
    private static double Mean(CostTable table, Dictionary<string, double[]> p, bool firstInputs = false) => OneHot.All(table.Space).Sum(a =>
        table.Of(a) * table.Space.Choices.Aggregate(1.0, (product, c) => product * (firstInputs && c is InputChoice input
            ? (a[c.Label].SequenceEqual(Enumerable.Range(0, Math.Max(1, input.ChosenCount))) ? 1 : 0)
            : p[c.Label][a[c.Label][0]])));

    private static double[] FirstInputs(InputChoice choice)
    {
        var count = Math.Max(1, choice.ChosenCount);
        return [.. choice.Candidates.Select((_, k) => k < count ? 1.0 / count : 0)];
    }
}
