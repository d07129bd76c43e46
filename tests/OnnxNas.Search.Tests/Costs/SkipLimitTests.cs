using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class SkipLimitTests
{
    public static IEnumerable<object[]> Strategies => StrategyCatalog.All.Select(s => new object[] { s.Name });

    [TestMethod]
    public void The_best_within_cap_and_budget_is_that_of_enumeration()
    {
        var cost = CostNets.CostOf(Nested());
        var space = cost.Macs.Space;
        var all = OneHot.All(space).ToList();
        var (smallest, largest) = cost.Macs.Range();
        for (var seed = 0; seed < 8; seed++)
        {
            var p = CostNets.Probabilities(space, seed);
            for (var most = 0; most < 4; most++)
            {
                var limit = smallest + (0.3 + 0.1 * seed) * (largest - smallest);
                var within = all.Where(a => Skips(a) <= most && cost.Of(a).Macs <= limit).ToList();
                var budget = new Budget(space, [new("--max-macs", cost.Macs, limit)], most);
                if (within.Count == 0)
                {
                    Assert.ThrowsExactly<ChoiceException>(budget.RequireReachable);
                    continue;
                }

                budget.RequireReachable();
                var best = budget.Best(c => p[c.Label], 3);
                Assert.AreEqual(within.Max(a => LogProbability(space, p, a)), LogProbability(space, p, best[0]), 1e-9, $"seed {seed}, {most}: {best[0]}");
                foreach (var found in best)
                    Assert.IsTrue(Skips(found) <= most && cost.Of(found).Macs <= limit && budget.Allows(found), $"{found}");
                foreach (var a in all)
                    Assert.AreEqual(Skips(a) <= most && cost.Of(a).Macs <= limit, budget.Allows(a), $"{a}");
            }
        }
    }

    [TestMethod]
    public void In_a_large_space_all_of_skips_the_weakest_are_replaced_by_their_next_likeliest_candidates()
    {
        // 3^24 architectures, and none of the most probable 100,000 keeps the cap.
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        for (var i = 0; i < 24; i++)
            x = net.LayerChoice($"c{i}", null, net.Linear($"a{i}", x, 4, 4), x, net.Linear($"b{i}", x, 4, 4));
        var space = SearchSpace.Read(net.Build((x, [CostNets.N, 4])));
        double[] Probabilities(Choice c)
        {
            var i = Index(c);
            var skip = 0.8 + 0.008 * (7 * i % 24);
            return [(1 - skip) * (i % 2 == 0 ? 0.7 : 0.3), skip, (1 - skip) * (i % 2 == 0 ? 0.3 : 0.7)];
        }

        var best = new Budget(space, [], 4).Best(Probabilities);
        var kept = space.Choices.OrderByDescending(c => Probabilities(c)[1]).Take(4).ToHashSet();
        foreach (var choice in space.Choices)
            Assert.AreEqual(kept.Contains(choice) ? 1 : Index(choice) % 2 == 0 ? 0 : 2, best[choice.Label][0], choice.Label);

        static int Index(Choice c) => int.Parse(c.Label[1..], System.Globalization.CultureInfo.InvariantCulture);
    }

    [TestMethod]
    public void A_cap_that_nothing_keeps_is_refused_by_one_clear_line()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var first = net.LayerChoice("always", ["a", "b"], x, net.Op("Identity", x));
        var second = net.LayerChoice("free", ["skip", "l"], first, net.Linear("l", first, 4, 4));
        var cost = CostNets.CostOf(net.Build((second, [CostNets.N, 4])));
        var message = Assert.ThrowsExactly<ChoiceException>(new Budget(cost.Macs.Space, [], 0).RequireReachable).Message;
        Assert.Contains("--max-skips 0 skips", message);
        Assert.Contains("the one with the fewest has 1 skip (always=a free=l)", message);
        new Budget(cost.Macs.Space, [], 1).RequireReachable();
        // Each can be kept, but without the skip there is work to do.
        var limit = new BudgetLimit("--max-macs", cost.Macs, 1);
        new Budget(cost.Macs.Space, [limit]).RequireReachable();
        message = Assert.ThrowsExactly<ChoiceException>(new Budget(cost.Macs.Space, [limit], 1).RequireReachable).Message;
        Assert.Contains("--max-macs 1 MACs and --max-skips 1 skip together", message);
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void Every_strategy_returns_and_ranks_architectures_within_the_cap_only(string strategy)
    {
        foreach (var most in new[] { 0, 1 })
        {
            var options = new SearchOptions { Strategy = strategy, Epochs = strategy == "grid" ? 27 : 2, BatchSize = 8, Seed = 3, ArchLr = 0.05, Population = 4, Generations = 3, Samples = 2, MaxSkips = most };
            using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(Nested(), options));
            trainer.Fit();
            var found = trainer.Finalists(5).Append(trainer.Export()).Concat(trainer.Ranking(5).Select(r => r.Architecture)).Concat(RandomSearch.Baseline(trainer.Task, 3)).ToList();
            foreach (var architecture in found)
                Assert.IsLessThanOrEqualTo(most, Skips(architecture), $"{architecture}");
        }
    }

    private static int Skips(Architecture a) => (a["outer"][0] == 1 && a["inner"][0] == 1 ? 1 : 0) + (a["second"][0] == 1 ? 1 : 0) + (a["third"][0] == 0 ? 1 : 0);

    // An identity in a choice that may not be made, and one at both markers of a label.
    private static Model Nested()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var inner = net.LayerChoice("inner", null, CostNets.Bottleneck(net, "i", x, 5), x);
        var outer = net.LayerChoice("outer", null, CostNets.Bottleneck(net, "o", x, 9), inner);
        var second = net.LayerChoice("second", ["conv", "l"], CostNets.Bottleneck(net, "s0", outer, 7), net.Op("Identity", outer));
        var third = net.LayerChoice("third", null, second, CostNets.Bottleneck(net, "t", second, 3), net.Op("Tanh", second));
        var again = net.LayerChoice("second", ["conv", "l"], CostNets.Bottleneck(net, "s1", third, 4), third);
        return net.Build((net.LayerChoice("last", null, net.Op("Tanh", again), CostNets.Bottleneck(net, "z", again, 2)), [CostNets.N, 4]));
    }

    private static double LogProbability(SearchSpace space, Dictionary<string, double[]> p, Architecture architecture) =>
        space.Choices.Sum(c => architecture[c.Label].Sum(k => Math.Log(p[c.Label][k])));
}
