using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class ModelCostTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_plain_model_costs_what_is_counted_by_hand()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 3, 8, 8);
        // 3x3, 3 to 6 channels, padded, stride 2: 6*4*4 outputs of 27 products each.
        var conv = net.Op("Conv", [x, net.Weight("w", 6, 3, 3, 3), net.Weight("b", 6)], Attr.Of("pads", (IEnumerable<long>)[1, 1, 1, 1]), Attr.Of("strides", (IEnumerable<long>)[2, 2]));
        // In two groups: 6*4*4 outputs of 3*1*1 products each.
        var grouped = net.Op("Conv", [conv, net.Weight("g", 6, 3, 1, 1)], Attr.Of("group", 2L));
        var flat = net.Op("Flatten", net.Op("GlobalAveragePool", net.Op("Relu", net.BatchNorm("bn", grouped, 6))));
        var model = net.Build((net.Linear("head", flat, 6, 10), [N, 10]));
        var cost = Of(model).Supernet;
        Assert.AreEqual(6 * 27 + 6 + 6 * 3 + 2 * 6 + 60 + 10, cost.Parameters);
        Assert.AreEqual(6 * 16 * 27 + 6 * 16 * 3, cost.Macs - MacsOf(model, "BatchNormalization") - MacsOf(model, "Gemm"));
        Assert.AreEqual(60, MacsOf(model, "Gemm"));
        Assert.AreEqual(cost, Of(model).Of(Architecture.First(SearchSpace.Read(model))));
    }

    [TestMethod]
    public void A_subnet_counts_what_it_reaches_and_shared_weights_once()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var (w, b) = (net.Weight("w", 4, 4), net.Weight("b", 4));
        var first = net.LayerChoice("first", null, net.Op("Gemm", x, w, b), x);
        var second = net.LayerChoice("second", null, net.Op("Gemm", first, w, b), net.Linear("own", first, 4, 4));
        var model = net.Build((second, [N, 4]));
        var cost = Of(model);
        Assert.AreEqual(new Cost(40, 48), cost.Supernet);
        foreach (var (pick, expected) in new[] { ((0, 0), new Cost(20, 32)), ((0, 1), new Cost(40, 32)), ((1, 0), new Cost(20, 16)), ((1, 1), new Cost(20, 16)) })
            Assert.AreEqual(expected, cost.Of(Decide(model, ("first", pick.Item1), ("second", pick.Item2))), $"{pick}");
        Assert.AreEqual((new Cost(20, 16), new Cost(40, 32)), cost.Range());
    }

    [TestMethod]
    public void The_costs_of_every_nested_architecture_are_those_of_its_pruned_model_and_the_range_is_theirs()
    {
        var marked = OnnxFile.Read(RepositoryFiles.Shared("models", "nested.onnx"));
        var cost = Of(marked);
        var all = OneHot.All(SearchSpace.Read(marked)).ToList();
        foreach (var architecture in all.Where((_, i) => i % 7 == 0))
        {
            var plain = Pruner.Prune(marked, architecture);
            Assert.AreEqual(Of(plain).Supernet, cost.Of(architecture), architecture.ToString());
        }

        AssertRange(cost, all);
    }

    [TestMethod]
    public void A_candidate_that_is_zero_needs_nothing_of_what_it_reads()
    {
        var marked = OnnxFile.Read(RepositoryFiles.Shared("models", "nb201-digits.onnx"));
        MarkerFunctions.Remove(marked);
        var cost = Of(marked);
        var space = SearchSpace.Read(marked);
        // Behind edge_2_3 = none, nothing that leads to node 2 counts.
        var cut = Architecture.Parse(space, """{"edge_0_1":"conv3x3","edge_0_2":"conv3x3","edge_1_2":"conv3x3","edge_0_3":"conv1x1","edge_1_3":"conv1x1","edge_2_3":"none"}""");
        Assert.AreEqual(Of(Pruner.Prune(marked, cut)).Supernet, cost.Of(cut));
        for (var i = 0; i < 10; i++)
        {
            var drawn = Architecture.Random(space, new SeededRandom(5, i));
            var pruned = Of(Pruner.Prune(marked, drawn)).Supernet;
            Assert.IsTrue(pruned.Macs <= cost.Of(drawn).Macs && pruned.Parameters <= cost.Of(drawn).Parameters, drawn.ToString());
        }
    }

    [TestMethod]
    public void The_range_is_exact_where_a_candidate_hides_a_choice()
    {
        // The plain candidate costs more than the hidden choice as it stands first, and less than at its largest.
        foreach (var sizes in new long[][] { [30, 10, 50], [30, 50, 10], [30, 50, 60], [30, 10, 20] })
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            var inner = net.LayerChoice("inner", null, Bottleneck(net, "small", x, sizes[1]), Bottleneck(net, "large", x, sizes[2]));
            var model = net.Build((net.LayerChoice("outer", null, Bottleneck(net, "plain", x, sizes[0]), inner), [N, 4]));
            AssertRange(Of(model), OneHot.All(SearchSpace.Read(model)));
        }
    }

    [TestMethod]
    public void The_range_is_exact_over_inputs_of_every_count()
    {
        foreach (var chosen in new long[] { 0, 1, 2, 3 })
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            Value[] inputs = [Bottleneck(net, "a", x, 5), Bottleneck(net, "b", x, 9), net.LayerChoice("c", null, Bottleneck(net, "c0", x, 3), Bottleneck(net, "c1", x, 12))];
            var model = net.Build((net.InputChoice("i", chosen, "sum", inputs), [N, 4]));
            AssertRange(Of(model), OneHot.All(SearchSpace.Read(model)));
        }
    }

    private static void AssertRange(ModelCost cost, IEnumerable<Architecture> all)
    {
        var costs = all.Select(cost.Of).ToList();
        var (smallest, largest) = cost.Range();
        Assert.AreEqual(new Cost(costs.Min(c => c.Parameters), costs.Min(c => c.Macs)), smallest);
        Assert.AreEqual(new Cost(costs.Max(c => c.Parameters), costs.Max(c => c.Macs)), largest);
    }

    private static Value Bottleneck(NetBuilder net, string name, Value x, long width) => net.Linear($"{name}.up", net.Linear($"{name}.down", x, 4, width), width, 4);

    private static ModelCost Of(Model marked)
    {
        new PassManager([new LiftConstants()]).Run(marked);
        ShapeInference.Run(marked, SupernetOperators.Registry);
        return new(SearchSpace.Read(marked));
    }

    private static long MacsOf(Model model, string op)
    {
        var types = ShapeInference.Run(model, SupernetOperators.Registry);
        return model.Graph.Nodes.Where(n => n.OpType == op).Sum(n =>
            SupernetOperators.Registry.Bind(n, model.OpsetVersions()).MultiplyAccumulates(types.Context(n), types.Outputs(n))?.Evaluate(new Dictionary<string, long> { ["N"] = 1 }) ?? 0);
    }

    private static Architecture Decide(Model model, params (string Label, int Pick)[] picks) =>
        new(SearchSpace.Read(model), picks.ToDictionary(p => p.Label, p => (IReadOnlyList<int>)[p.Pick]));
}
