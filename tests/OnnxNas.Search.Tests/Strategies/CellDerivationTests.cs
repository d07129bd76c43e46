using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>Deriving a cell, against a search through all pairs of edges; each wrong rule takes another cell.</summary>
[TestClass]
public sealed class CellDerivationTests
{
    // Columns: none, skip, linear. By softmax without none edges 1 and 3 are strongest, by raw α 0 and 2, and with none 0 and 3.
    private static readonly double[][] Alphas = [[3.0, 1.9, 1.8], [1.0, 0.9, -4], [2.1, 2.0, 2.1], [-3, -1, 1.2]];

    [TestMethod]
    public void The_strongest_edges_stay_by_their_likeliest_candidate_that_is_not_none()
    {
        using var darts = new Darts(SmallTask.Of(Cell(), new() { Seed = 1 }));
        foreach (var (e, alpha) in Alphas.Index())
            Set(darts, $"edge{e}", alpha);
        var (inputs, ops) = Reference(darts.Task.Space, softmax: true, countsNone: false, takesNone: false);
        var export = darts.Export();
        CollectionAssert.AreEqual(inputs, export["node"].ToArray());
        CollectionAssert.AreEqual(ops, Enumerable.Range(0, 4).Select(e => export[$"edge{e}"][0]).ToArray());
        CollectionAssert.AreEqual((int[])[1, 3], inputs);
        CollectionAssert.AreEqual((int[])[1, 1, 2, 2], ops);
    }

    [TestMethod]
    [DataRow(false, false, false), DataRow(true, true, false), DataRow(true, false, true)]
    public void Mutants_on_raw_alpha_or_with_none_take_another_cell(bool softmax, bool countsNone, bool takesNone)
    {
        var space = SearchSpace.Read(Cell());
        var (right, wrong) = (Reference(space, true, false, false), Reference(space, softmax, countsNone, takesNone));
        Assert.IsFalse(right.Inputs.SequenceEqual(wrong.Inputs) && right.Ops.SequenceEqual(wrong.Ops));
    }

    [TestMethod]
    public void A_learnt_probability_of_the_input_counts_too()
    {
        using var darts = new Darts(SmallTask.Of(Cell(), new() { Seed = 1 }));
        foreach (var (e, alpha) in Alphas.Index())
            Set(darts, $"edge{e}", alpha);
        Set(darts, "node", 3, 0, 3, 0);
        CollectionAssert.AreEqual((int[])[0, 2], darts.Export()["node"].ToArray());
    }

    [TestMethod]
    public void Finalists_are_all_cells_that_the_rule_allows_from_the_strongest_to_the_weakest()
    {
        using var darts = new Darts(SmallTask.Of(Cell(), new() { Seed = 1 }));
        // No two cells are equally strong.
        double[][] alphas = [.. Alphas[..2], [2.1, 2.0, 2.15], Alphas[3]];
        foreach (var (e, alpha) in alphas.Index())
            Set(darts, $"edge{e}", alpha);
        Set(darts, "node", 0.3, 0, 0.2, -0.1);
        var finalists = darts.Finalists(1000);
        Assert.AreEqual(darts.Export(), finalists[0]);

        // Every pair of edges with every pair of candidates but none: its probability, and how strong its edges are.
        var (p, node) = (alphas.Select(Softmax).ToArray(), Softmax([0.3, 0, 0.2, -0.1]));
        double Strength(int e) => node[e] * p[e].Skip(1).Max();
        var expected = (from a in Enumerable.Range(0, 4)
                        from b in Enumerable.Range(0, 4)
                        where a < b
                        from i in (int[])[1, 2]
                        from j in (int[])[1, 2]
                        let score = Strength(a) * Strength(b) * p[a][i] / p[a].Skip(1).Max() * p[b][j] / p[b].Skip(1).Max()
                        orderby score descending
                        select $"{a}={i} {b}={j}").ToArray();
        Assert.AreEqual(string.Join("\n", expected), string.Join("\n", finalists.Select(f => string.Join(' ', f["node"].Select(e => $"{e}={f[$"edge{e}"][0]}")))));
    }

    [TestMethod]
    public void An_edge_that_can_only_be_zero_is_taken_as_it_is()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var edges = Enumerable.Range(0, 2).Select(e => net.LayerChoice($"edge{e}", null, net.Op("Sub", x, x), e == 0 ? net.Op("Sub", x, x) : net.Op("Tanh", x))).ToArray();
        using var darts = new Darts(SmallTask.Of(net.Build((net.InputChoice("node", 1, "sum", edges), [N, 4])), new() { Seed = 1 }));
        Set(darts, "edge1", 5, 0);
        Assert.AreEqual(1, darts.Export()["edge1"][0]);
    }

    [TestMethod]
    public void An_edge_that_can_only_be_zero_is_weaker_than_any_other()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        Value[] edges = [net.LayerChoice("nothing", null, net.Op("Sub", x, x)), net.LayerChoice("something", null, net.Op("Tanh", x), net.Op("Sin", x)), net.LayerChoice("more", null, net.Op("Neg", x), x)];
        using var darts = new Darts(SmallTask.Of(net.Build((net.InputChoice("node", 2, "sum", edges), [N, 4])), new() { Seed = 1 }));
        foreach (var cell in darts.Finalists(5))
            CollectionAssert.AreEqual((int[])[1, 2], cell["node"].ToArray(), $"{cell}");
    }

    [TestMethod]
    public void A_choice_outside_of_a_cell_may_become_none()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        using var darts = new Darts(SmallTask.Of(net.Build((net.LayerChoice("op", null, net.Op("Sub", x, x), net.Op("Tanh", x)), [N, 4])), new() { Seed = 1 }));
        Set(darts, "op", 1, 0);
        Assert.AreEqual("op=0", darts.Export().ToString());
    }

    // All pairs and all candidates tried; the InputChoice's own α is as good as even.
    private static (int[] Inputs, int[] Ops) Reference(SearchSpace space, bool softmax, bool countsNone, bool takesNone)
    {
        Assert.AreEqual(CandidateKind.Zero, new CandidateKinds(space)[space["edge0"]][0]);
        var scores = Alphas.Select(a => softmax ? Softmax(a) : a).ToArray();
        double Strength(int e) => scores[e].Skip(countsNone ? 0 : 1).Max();
        var best = (from a in Enumerable.Range(0, 4) from b in Enumerable.Range(0, 4) where a < b orderby Strength(a) + Strength(b) descending select (int[])[a, b]).First();
        return (best, [.. scores.Select(s => Enumerable.Range(takesNone ? 0 : 1, takesNone ? 3 : 2).MaxBy(k => s[k]))]);
    }

    private static Model Cell()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var edges = Enumerable.Range(0, 4).Select(e =>
        {
            var from = net.Op("Tanh", net.Linear($"pre{e}", x, 4, 4));
            return net.LayerChoice($"edge{e}", ["a", "b", "c"], net.Op("Mul", from, net.Constant($"zero{e}", [], _ => 0)), from, net.Linear($"l{e}", from, 4, 4));
        }).ToArray();
        return net.Build((net.InputChoice("node", 2, "sum", edges), [N, 4]));
    }
}
