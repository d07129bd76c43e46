using System.Globalization;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

/// <summary>What the options ask of costs, on a choice whose candidates "often", "once" and "skip" cost what <see cref="Known"/> says.</summary>
[TestClass]
public sealed class SearchCostsTests
{
    private static readonly (string Cost, double[] Amounts)[] Known = [("macs", [48, 16, 0]), ("params", [16, 20, 0]), ("latency", [3.25, 5.25, 0.25])];

    // Targets lie between the first two amounts, as a number and as a share.
    public static IEnumerable<object[]> Penalties =>
        from cost in Known
        from target in new[] { cost.Amounts.Take(2).Average().ToString(CultureInfo.InvariantCulture), "90%" }
        from form in new[] { "add", "multiply" }
        from shape in new[] { "linear", "positive", "negative", "absolute" }
        select new object[] { cost.Cost, target, form, shape };

    [TestMethod]
    [DynamicData(nameof(Penalties))]
    public void A_penalty_is_that_of_the_options_by_the_formula(string cost, string target, string form, string shape)
    {
        var costs = Costs();
        var penalty = costs.Penalty(new() { Cost = cost, CostTarget = target, PenaltyForm = form, PenaltyShape = shape, PenaltyWeight = 0.3 })!;
        var amounts = Known.Single(k => k.Cost == cost).Amounts;
        var goal = target.EndsWith('%') ? 0.9 * amounts.Max() : double.Parse(target, CultureInfo.InvariantCulture);
        foreach (var architecture in OneHot.All(costs.Model.Macs.Space).Take(2))
        {
            var x = amounts[architecture["op"][0]] / goal - 1;
            var n = shape switch { "positive" => Math.Max(0, x), "negative" => Math.Min(0, x), "absolute" => Math.Abs(x), _ => x };
            Assert.AreEqual(form == "add" ? 0.8 - 0.3 * n : 0.8 * Math.Pow(1 + n, -0.3), penalty.ShapeReward(0.8, architecture), 1e-9, $"{architecture}");
        }
    }

    [TestMethod]
    public void Without_a_weight_there_is_no_penalty_and_without_limits_everything_is_allowed()
    {
        Assert.IsNull(Costs().Penalty(new() { Cost = "params", CostTarget = "10%" }));
        Assert.AreEqual("often once skip", Allowed(new()));
    }

    [TestMethod]
    public void Each_limit_binds_the_cost_that_its_option_names_in_numbers_and_shares()
    {
        Assert.AreEqual("once skip", Allowed(new() { MaxMacs = "17" }, ("--max-macs", CostKind.Macs, 17)));
        Assert.AreEqual("once skip", Allowed(new() { MaxMacs = "50%" }, ("--max-macs", CostKind.Macs, 24)));
        Assert.AreEqual("often skip", Allowed(new() { MaxParams = "17" }, ("--max-params", CostKind.Params, 17)));
        Assert.AreEqual("often skip", Allowed(new() { MaxParams = "90%" }, ("--max-params", CostKind.Params, 18)));
        Assert.AreEqual("often skip", Allowed(new() { MaxLatencyMs = "4" }, ("--max-latency-ms", CostKind.Latency, 4)));
        Assert.AreEqual("skip", Allowed(new() { MaxLatencyMs = "60%" }, ("--max-latency-ms", CostKind.Latency, 3.15)));
        Assert.AreEqual("often once", Allowed(new() { MaxSkips = 0 }));
        Assert.AreEqual("once", Allowed(new() { MaxMacs = "17", MaxParams = "21", MaxLatencyMs = "6", MaxSkips = 0 },
            ("--max-macs", CostKind.Macs, 17), ("--max-params", CostKind.Params, 21), ("--max-latency-ms", CostKind.Latency, 6)));
    }

    [TestMethod]
    public void Nothing_is_measured_unless_the_options_ask_for_latency()
    {
        var costs = Costs();
        costs.Penalty(new() { Cost = "params", PenaltyWeight = 1 });
        costs.Budget(new() { MaxMacs = "50%", MaxParams = "50%" });
        Assert.IsNull(costs.KnownLatency);
        costs.Budget(new() { MaxLatencyMs = "50%" });
        Assert.IsNotNull(costs.KnownLatency);
    }

    // The names of what a budget allows. The limits are those expected, in any order.
    private static string Allowed(SearchOptions options, params (string Option, CostKind Kind, double Limit)[] limits)
    {
        var costs = Costs();
        var budget = costs.Budget(options);
        CollectionAssert.AreEquivalent(limits, budget.Limits.Select(l => (l.Option, l.Table.Kind, Math.Round(l.Limit, 9))).ToArray());
        var space = costs.Model.Macs.Space;
        return string.Join(' ', OneHot.All(space).Where(budget.Allows).Select(a => space["op"].Candidates[a["op"][0]]));
    }

    private static SearchCosts Costs()
    {
        var net = new NetBuilder();
        var x = net.Input("x", CostNets.N, 4);
        var (often, weight) = (x, net.Weight("weight", 4, 4));
        for (var i = 0; i < 3; i++)
            often = net.Op("MatMul", often, weight);
        var model = net.Build((net.LayerChoice("op", ["often", "once", "skip"], often, net.Linear("once", x, 4, 4), x), [CostNets.N, 4]));
        _ = CostNets.TypesOf(model);
        return new(SearchSpace.Read(model), new OperatorTimer());
    }

    // A runtime that takes 1 ms a MatMul, 5 ms a Gemm, and 0.25 ms to start.
    private sealed class OperatorTimer : IModelTimer
    {
        public double Milliseconds(byte[] model) => 0.25 + OnnxFile.Read(model).Graph.Nodes.Sum(n => n.OpType switch { "MatMul" => 1, "Gemm" => 5, _ => 0 });
    }
}
