using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class BudgetTests
{
    [TestMethod]
    public void The_best_within_a_budget_is_that_of_enumeration()
    {
        foreach (var model in new[] { CostNets.Chained(), CostNets.Cell(), CostNets.Row(4), Inputs(0), Inputs(2) })
        {
            var cost = CostNets.CostOf(model);
            var space = cost.Macs.Space;
            var all = OneHot.All(space).ToList();
            for (var seed = 0; seed < 6; seed++)
            {
                var p = CostNets.Probabilities(space, seed);
                var (macs, parameters) = (Between(cost.Macs, 0.05 + 0.15 * seed), Between(cost.Parameters, 0.9 - 0.12 * seed));
                var within = all.Where(a => cost.Of(a).Macs <= macs && cost.Of(a).Parameters <= parameters).ToList();
                if (within.Count == 0)
                    continue;
                var budget = new Budget(space, [new("--max-macs", cost.Macs, macs), new("--max-params", cost.Parameters, parameters)]);
                budget.RequireReachable();
                var best = budget.Best(c => p[c.Label]);
                Assert.IsTrue(budget.Allows(best));
                Assert.AreEqual(within.Max(a => LogProbability(space, p, a)), LogProbability(space, p, best), 1e-9, $"seed {seed}: {best}");
            }
        }
    }

    [TestMethod]
    public void Without_limits_the_best_is_the_arg_max()
    {
        foreach (var model in new[] { CostNets.Chained(), Inputs(0), Inputs(2) })
        {
            var space = SearchSpace.Read(model);
            var budget = new Budget(space, []);
            budget.RequireReachable();
            for (var seed = 0; seed < 4; seed++)
            {
                var p = CostNets.Probabilities(space, seed);
                Assert.AreEqual(Architecture.FromScores(space, c => p[c.Label]), budget.Best(c => p[c.Label]));
            }
        }
    }

    [TestMethod]
    public void The_best_few_are_those_of_enumeration_and_no_two_are_one_subnet()
    {
        var cost = CostNets.CostOf(CostNets.Chained());
        var space = cost.Macs.Space;
        var p = CostNets.Probabilities(space, 8);
        // Subnets as pruning sees them: what is chosen among live choices.
        var groups = OneHot.All(space).GroupBy(a => (a["outer"][0] == 1 ? $"{a["inner"][0]}" : "plain", a["tied"][0] == 0 ? $"0{a["deep"][0]}" : "1", a["pick"][0]));
        var expected = groups.Select(g => g.Max(a => LogProbability(space, p, a))).OrderDescending().Take(12).ToList();
        var found = new Budget(space, []).Best(c => p[c.Label], 12);
        Assert.HasCount(12, found);
        for (var i = 0; i < expected.Count; i++)
            Assert.AreEqual(expected[i], LogProbability(space, p, found[i]), 1e-9, $"{i}");
    }

    [TestMethod]
    public void Of_any_number_of_many_inputs_too_the_best_within_a_budget_is_that_of_enumeration()
    {
        // 32,767 ways to decide, and the budget far from what is likely: each input costs its number.
        const int Count = 15;
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var inputs = Enumerable.Range(1, Count).Select(i => CostNets.Bottleneck(net, $"w{i}", x, i)).ToArray();
        var cost = CostNets.CostOf(net.Build((net.InputChoice("i", 0, "sum", inputs), [CostNets.N, 4])));
        double[] p = [.. Enumerable.Range(1, Count).Select(i => 0.6 + 0.35 * (7 * i % Count) / Count)];
        var within = OneHot.All(cost.Macs.Space).Where(a => a["i"].Sum(k => k + 1) <= 25);
        var best = new Budget(cost.Macs.Space, [new("--max-macs", cost.Macs, 8 * 25)]).Best(_ => p);
        var all = new Dictionary<string, double[]> { ["i"] = p };
        Assert.AreEqual(within.Max(a => LogProbability(cost.Macs.Space, all, a)), LogProbability(cost.Macs.Space, all, best), 1e-9, $"{best}");
    }

    [TestMethod]
    [Timeout(20_000)]
    public void The_best_few_are_found_where_many_choices_stand_in_a_candidate_that_is_unlikely()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var cell = x;
        for (var i = 0; i < 16; i++)
            cell = net.LayerChoice($"c{i}", null, net.Op("Tanh", cell), net.Op("Sin", cell), net.Op("Neg", cell), net.Op("Abs", cell));
        var space = SearchSpace.Read(net.Build((net.LayerChoice("outer", null, x, cell), [CostNets.N, 4])));
        var found = new Budget(space, []).Best(c => c.Label == "outer" ? [0.9, 0.1] : [0.26, 0.25, 0.25, 0.24], 5);
        // Within it the arg-max, then one of the second and third likeliest somewhere.
        Assert.AreEqual("0 1 1 1 1", string.Join(' ', found.Select(a => a["outer"][0])));
        Assert.AreEqual("0 0 1 1 1", string.Join(' ', found.Select(a => Enumerable.Range(0, 16).Count(i => a[$"c{i}"][0] is 1 or 2))));
    }

    [TestMethod]
    public void In_a_space_too_large_to_enumerate_the_best_is_within_the_budget_and_no_single_change_improves_it()
    {
        // 5^24 architectures; all that is probable is expensive.
        var cost = CostNets.CostOf(CostNets.Row(24));
        var space = cost.Macs.Space;
        var (smallest, _) = cost.Macs.Range();
        foreach (var share in new[] { 0.0, 0.3 })
        {
            var limit = smallest + share * (cost.Macs.Range().Largest - smallest);
            var budget = new Budget(space, [new("--max-macs", cost.Macs, limit)]);
            budget.RequireReachable();
            double[] Probabilities(Choice c)
            {
                var powers = Enumerable.Range(0, 5).Select(k => Math.Exp(0.4 * Width(c, k))).ToArray();
                return [.. powers.Select(e => e / powers.Sum())];
            }

            var best = budget.Best(Probabilities);
            Assert.IsTrue(budget.Allows(best), $"{share}");
            foreach (var choice in space.Choices)
            {
                foreach (var k in Enumerable.Range(0, 5).Where(k => Width(choice, k) > Width(choice, best[choice.Label][0])))
                    Assert.IsFalse(budget.Allows(new(space, new Dictionary<string, IReadOnlyList<int>>(best.Selections) { [choice.Label] = [k] })), $"{share}: {choice.Label} = {k}");
            }
        }

        static int Width(Choice choice, int k) => 1 + (7 * k + 3 * int.Parse(choice.Label[1..], System.Globalization.CultureInfo.InvariantCulture)) % 23;
    }

    [TestMethod]
    public void A_budget_that_nothing_meets_is_refused_with_the_figures_of_the_cheapest()
    {
        var cost = CostNets.CostOf(CostNets.Row(3));
        var least = OneHot.All(cost.Macs.Space).Min(a => cost.Of(a).Macs);
        var budget = new Budget(cost.Macs.Space, [new("--max-macs", cost.Macs, least - 1)]);
        var error = Assert.ThrowsExactly<ChoiceException>(budget.RequireReachable);
        StringAssert.Contains(error.Message, $"--max-macs {least - 1} MACs");
        StringAssert.Contains(error.Message, $"the cheapest has {least} MACs");
        Assert.ThrowsExactly<ChoiceException>(() => budget.Best(c => c.Candidates.Select(_ => 0.2)));
        new Budget(cost.Macs.Space, [new("--max-macs", cost.Macs, least)]).RequireReachable();
    }

    [TestMethod]
    public void Two_limits_that_can_be_kept_one_by_one_but_not_together_are_refused()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        // Much work on few parameters, or little work on many.
        var shared = net.Weight("shared", 4, 4);
        Value heavy = x;
        for (var i = 0; i < 10; i++)
            heavy = net.Op("MatMul", heavy, shared);
        var cost = CostNets.CostOf(net.Build((net.LayerChoice("c", ["heavy", "wide"], heavy, CostNets.Bottleneck(net, "wide", x, 8)), [CostNets.N, 4])));
        var (macs, parameters) = (new BudgetLimit("--max-macs", cost.Macs, 100), new BudgetLimit("--max-params", cost.Parameters, 50));
        new Budget(cost.Macs.Space, [macs]).RequireReachable();
        new Budget(cost.Macs.Space, [parameters]).RequireReachable();
        var error = Assert.ThrowsExactly<ChoiceException>(new Budget(cost.Macs.Space, [macs, parameters]).RequireReachable);
        StringAssert.Contains(error.Message, "together");
    }

    [TestMethod]
    public void An_amount_is_a_number_or_a_share_of_the_most_expensive()
    {
        var table = CostNets.CostOf(CostNets.Row(3)).Macs;
        Assert.AreEqual(1500, CostAmount.Parse("1.5e3").In(table));
        Assert.AreEqual(0.25 * table.Range().Largest, CostAmount.Parse("25%").In(table));
        foreach (var wrong in new[] { "", "0", "-3", "0%", "many", "5 %%", "1,5", "NaN", "1e999" })
        {
            Assert.ThrowsExactly<FormatException>(() => CostAmount.Parse(wrong), wrong);
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new SearchOptions { MaxMacs = wrong }.Checked()).Message, "--max-macs");
        }
    }

    private static Model Inputs(long chosen)
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        Value[] inputs = [CostNets.Bottleneck(net, "a", x, 5), CostNets.Bottleneck(net, "b", x, 9), net.LayerChoice("c", null, CostNets.Bottleneck(net, "c0", x, 3), CostNets.Bottleneck(net, "c1", x, 12)), x];
        return net.Build((net.InputChoice("i", chosen, "sum", inputs), [CostNets.N, 4]));
    }

    private static double Between(CostTable table, double share)
    {
        var (smallest, largest) = table.Range();
        return smallest + share * (largest - smallest);
    }

    private static double LogProbability(SearchSpace space, Dictionary<string, double[]> p, Architecture architecture) => space.Choices.Sum(c =>
        c is InputChoice { ChosenCount: 0 }
            ? c.Candidates.Select((_, k) => Math.Log(architecture[c.Label].Contains(k) ? p[c.Label][k] : 1 - p[c.Label][k])).Sum()
            : architecture[c.Label].Sum(k => Math.Log(p[c.Label][k])));
}
