using OnnxNas.Ir;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class PcDartsTests
{
    private static readonly SearchOptions Options = new() { Strategy = "pc-darts", Epochs = 4, BatchSize = 8, Seed = 3, ArchLr = 0.05 };

    [TestMethod]
    [DataRow(4, 17), DataRow(2, 17), DataRow(1, 17), DataRow(8, 17), DataRow(4, 9)]
    public void The_first_channels_are_mixed_the_others_pass_by_and_all_are_shuffled(int parts, int opset)
    {
        using var scope = NewDisposeScope();
        var model = Channels(8);
        model.OpsetImports[""] = opset;
        using var trainer = new PcDarts(SmallTask.Of(model, Options with { ChannelParts = parts }));
        Set(trainer, "op", 0.5, -0.4, 0.2);
        var outputs = Forward(trainer);
        Assert.IsLessThan(1e-12, Deviation(outputs, parts, Fault.None));
        if (parts is 2 or 4)
        {
            foreach (var fault in Enum.GetValues<Fault>().Where(f => f != Fault.None))
                Assert.IsGreaterThan(1e-2, Deviation(outputs, parts, fault), $"The check lets {fault} pass.");
        }
    }

    [TestMethod]
    public void Channels_that_K_does_not_divide_and_candidates_of_another_shape_are_mixed_as_a_whole()
    {
        using var scope = NewDisposeScope();
        using var odd = new PcDarts(SmallTask.Of(Channels(6), Options));
        var outputs = Forward(odd, 6);
        var p = Softmax(Alpha(odd, "op"));
        Assert.IsLessThan(1e-12, (outputs[0] - Mix(outputs, p)).abs().max().item<double>());
        using var flat = new PcDarts(SmallTask.Of(Four(), Options));
        Assert.IsLessThan(1e-12, (Run(flat)[0] - Mix(Run(flat), Softmax(Alpha(flat, "op")))).abs().max().item<double>());
        // Strided candidates: the common input is larger than the output.
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4, 4);
        Value Pool(string op) => net.Op(op, [x], Attr.Of("kernel_shape", (IEnumerable<long>)[2L]), Attr.Of("strides", (IEnumerable<long>)[2L]));
        Value[] pools = [Pool("AveragePool"), Pool("MaxPool")];
        using var strided = new PcDarts(SmallTask.Of(net.Build([(net.LayerChoice("op", null, pools), [N, 4, 2]), .. pools.Select(v => (v, (Dim[])[N, 4, 2]))]), Options));
        var reduced = Forward(strided, 4);
        Assert.IsLessThan(1e-12, (reduced[0] - Mix(reduced, Softmax(Alpha(strided, "op")))).abs().max().item<double>());
    }

    [TestMethod]
    public void A_choice_whose_input_is_another_choice_is_bypassed_from_what_that_one_computes()
    {
        using var scope = NewDisposeScope();
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4, 4);
        var first = net.LayerChoice("first", null, net.Op("Tanh", x), net.Op("Sin", x));
        var second = net.LayerChoice("second", null, net.Op("Neg", first), net.Op("Abs", first));
        using var trainer = new PcDarts(SmallTask.Of(net.Build((second, [N, 4, 4]), (first, [N, 4, 4]), (net.Op("Neg", first), [N, 4, 4]), (net.Op("Abs", first), [N, 4, 4])), Options));
        var o = Forward(trainer, 4);
        var p = Softmax(Alpha(trainer, "second"));
        Assert.IsLessThan(1e-12, (o[0] - Shuffled(o[2] * p[0] + o[3] * p[1], o[1], 4)).abs().max().item<double>());
    }

    [TestMethod]
    public void A_candidate_beside_none_is_bypassed_from_where_both_start()
    {
        using var scope = NewDisposeScope();
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Op("Sin", net.Input("x", N, 4, 4));
        var y = net.Op("Tanh", x);
        var choice = net.LayerChoice("op", null, y, net.Op("Mul", x, net.Constant("zero", [], _ => 0)));
        using var trainer = new PcDarts(SmallTask.Of(net.Build((choice, [N, 4, 4]), (y, [N, 4, 4]), (x, [N, 4, 4])), Options));
        var o = Forward(trainer, 4);
        Assert.IsLessThan(1e-12, (o[0] - Shuffled(o[1] * Softmax(Alpha(trainer, "op"))[0], o[2], 4)).abs().max().item<double>());
    }

    [TestMethod]
    public void The_edges_of_a_node_are_weighted_by_a_softmax_whose_gradient_is_that_of_the_formula()
    {
        using var scope = NewDisposeScope();
        using var trainer = new PcDarts(SmallTask.Of(Node("p", "q", "r"), Options));
        var beta = trainer.Supernet.Module.Parameters["org.onnxnas.supernet/beta/p,q,r"];
        using (no_grad())
            beta.copy_(tensor(new[] { 0.3, -0.5, 0.9 }));
        var outputs = Run(trainer);
        var b = Softmax(0.3, -0.5, 0.9);
        var p = "pqr".Select(label => Softmax(Alpha(trainer, label.ToString()))).ToArray();
        var mixed = p.Select((w, e) => outputs[1 + 2 * e] * w[0] + outputs[2 + 2 * e] * w[1]).ToArray();
        Assert.IsLessThan(1e-12, (outputs[0] - mixed.Select((m, e) => m * b[e]).Aggregate((s, t) => s + t)).abs().max().item<double>());
        Assert.IsGreaterThan(1e-2, (outputs[0] - mixed.Aggregate((s, t) => s + t)).abs().max().item<double>(), "The check lets edges without weights pass.");
        var slopes = Slopes([outputs[0], .. mixed], zeros_like(outputs[0]));
        var mean = b.Zip(slopes).Sum(z => z.First * z.Second);
        var gradient = GradientStep.Of(outputs[0].square().mean(), [beta])[0]!.ToDoubles();
        for (var e = 0; e < 3; e++)
            Assert.AreEqual(b[e] * (slopes[e] - mean), gradient[e], 1e-9);
        Assert.Contains(beta, trainer.Supernet.ArchitectureParameters);
        Assert.DoesNotContain(beta, trainer.Supernet.Weights);
    }

    [TestMethod]
    public void Nodes_of_the_same_labels_share_their_edge_weights_and_a_single_edge_has_none()
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        Value Edge(string label, Value from) => net.LayerChoice(label, null, net.Op("Tanh", from), net.Op("Sin", from));
        var first = net.Op("Add", Edge("p", x), Edge("q", x));
        var second = net.Op("Sum", Edge("p", first), Edge("q", first));
        var residual = net.Op("Add", Edge("r", second), second);
        using var trainer = new PcDarts(SmallTask.Of(net.Build((residual, [N, 4])), Options));
        CollectionAssert.AreEqual((string[])["org.onnxnas.supernet/beta/p,q"], trainer.Supernet.Module.Parameters.Keys.Where(k => k.Contains("beta", StringComparison.Ordinal)).ToArray());
        Assert.HasCount(4, trainer.Supernet.ArchitectureParameters);
    }

    [TestMethod]
    public void The_cell_is_derived_on_the_product_of_both_softmaxes_without_none()
    {
        // None, skip and linear of four edges, and the weights of the edges.
        double[][] p = [[0.03, 0.02, 0.95], [0.15, 0.8, 0.05], [0.2, 0.1, 0.7], [0.6, 0.1, 0.3]];
        double[] beta = [0.08, 0.25, 0.27, 0.4];
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var edges = Enumerable.Range(0, 4).Select(e => net.LayerChoice($"edge{e}", null, net.Op("Sub", x, x), x, net.Linear($"l{e}", x, 4, 4))).ToArray();
        using var trainer = new PcDarts(SmallTask.Of(net.Build((net.InputChoice("node", 2, "sum", edges), [N, 4])), Options));
        // Shifted, as a constant added to α must not count.
        foreach (var (e, row) in p.Index())
            Set(trainer, $"edge{e}", [.. row.Select(v => Math.Log(v) + 2 * e)]);
        Set(trainer, "node", [.. beta.Select(v => Math.Log(v) - 1)]);
        var export = trainer.Export();
        var right = Best(e => beta[e] * p[e].Skip(1).Max());
        CollectionAssert.AreEqual(right, export["node"].ToArray());
        CollectionAssert.AreEqual((int[])[2, 1, 2, 2], Enumerable.Range(0, 4).Select(e => export[$"edge{e}"][0]).ToArray());
        // The mutants on one of the two alone, on their sum, with none, and on raw numbers take another pair.
        foreach (var mutant in (Func<int, double>[])[e => p[e].Skip(1).Max(), e => beta[e], e => beta[e] + p[e].Skip(1).Max(), e => beta[e] * p[e].Max(), e => Math.Log(beta[e]) - 1 + Math.Log(p[e].Skip(1).Max()) + 2 * e])
            CollectionAssert.AreNotEqual(right, Best(mutant));

        static int[] Best(Func<int, double> strength) => [.. Enumerable.Range(0, 4).OrderByDescending(strength).Take(2).Order()];
    }

    [TestMethod]
    public void Channels_are_weighted_behind_a_batch_norm_in_training_which_would_cancel_it()
    {
        using var scope = NewDisposeScope();
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 8, 4);
        Value[] before = [net.Op("Conv", x, net.Weight("w", 8, 8, 1)), net.Op("Sin", x)];
        Value[] behind = [net.BatchNorm("first", before[0], 8), net.BatchNorm("second", before[1], 8)];
        using var trainer = new PcDarts(SmallTask.Of(net.Build([(net.LayerChoice("op", null, behind), [N, 8, 4]), .. before.Concat(behind).Select(v => (v, (Dim[])[N, 8, 4]))]), Options));
        Set(trainer, "op", 0.5, -0.4);
        trainer.Supernet.Module.Training = true;
        var input = tensor(TestTensors.Normal(8, 5, 8, 4).ToDoubles()).reshape(5, 8, 4);
        var o = trainer.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = input }).ToArray();
        var alpha = trainer.Supernet.ArchitectureTensor(trainer.Task.Space["op"]);
        var p = alpha.softmax(0).unbind(0);
        var expected = Shuffled(o[3] * p[0] + o[4] * p[1], input, 4);
        Assert.IsLessThan(1e-12, (o[0] - expected).abs().max().item<double>());
        // The mutant masks before the norms, which take the weights away again, and their gradient with them.
        var masked = Shuffled(Norm(o[1].detach() * p[0]) + Norm(o[2].detach() * p[1]), input, 4);
        var (right, wrong) = (Slope(o[0]), Slope(masked));
        Assert.IsGreaterThan(0.1, right);
        Assert.IsLessThan(1e-2 * right, wrong);

        static Tensor Norm(Tensor t) => (t - t.mean([0L, 2L], keepdim: true)) / ((t - t.mean([0L, 2L], keepdim: true)).square().mean([0L, 2L], keepdim: true) + 1e-5).sqrt();

        double Slope(Tensor output) => GradientStep.Of((output * input.cos()).sum(), [alpha])[0]!.abs().max().item<double>();
    }

    [TestMethod]
    public void The_architecture_is_frozen_for_the_first_epochs()
    {
        bool Moves(int frozenEpochs)
        {
            using var trainer = new PcDarts(SmallTask.Of(Four(), Options with { Epochs = 2, WarmupEpochs = frozenEpochs }));
            var before = Alpha(trainer, "op");
            trainer.Fit();
            return !before.SequenceEqual(Alpha(trainer, "op"));
        }

        Assert.IsFalse(Moves(2));
        Assert.IsTrue(Moves(1));
    }

    [TestMethod]
    public void The_papers_defaults_take_the_place_of_the_general_ones()
    {
        var options = StrategyCatalog.Defaults(new() { Strategy = "pc-darts", Epochs = 50 });
        Assert.AreEqual((6e-4, 15, 4, 1), (options.ArchLr, options.WarmupEpochs, options.ChannelParts, options.Top));
        Assert.AreEqual(0, StrategyCatalog.Defaults(new() { Strategy = "pc-darts", Epochs = 3 }).WarmupEpochs);
        var gumbel = StrategyCatalog.Defaults(new() { Strategy = "gumbel" });
        Assert.AreEqual((5.0, 0.1), (gumbel.Temperature, gumbel.MinTemperature));
        Assert.AreEqual(new SearchOptions(), StrategyCatalog.Defaults(new()));
        Assert.AreEqual(new SearchOptions { Strategy = "unheard" }, StrategyCatalog.Defaults(new() { Strategy = "unheard" }));
    }

    private enum Fault
    {
        None,
        NoShuffle,
        ShuffledTheOtherWay,
        NoBypass,
        ZeroBypass,
        LastChannels,
    }

    private static Model Channels(long channels)
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Op("Sin", net.Input("x", N, channels, 4));
        Value[] candidates = [net.Op("Conv", net.Op("Relu", x), net.Weight("w", channels, channels, 1)), net.Op("Identity", x), net.Op("Tanh", x)];
        return net.Build([(net.LayerChoice("op", null, candidates), [N, channels, 4]), .. candidates.Select(c => (c, (Dim[])[N, channels, 4]))]);
    }

    // Three edges of two candidates, added up in a tree; all candidates are outputs.
    private static Model Node(params string[] labels)
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        Value[][] candidates = [.. labels.Select(l => (Value[])[net.Op("Tanh", net.Linear(l, x, 4, 4)), net.Op("Sin", net.Linear(l + "2", x, 4, 4))])];
        var edges = labels.Select((l, e) => net.LayerChoice(l, null, candidates[e])).ToArray();
        return net.Build([(net.Op("Add", net.Op("Add", edges[0], edges[1]), edges[2]), [N, 4]), .. candidates.SelectMany(c => c).Select(c => (c, (Dim[])[N, 4]))]);
    }

    private static Tensor[] Forward(OneShotTrainer trainer, long channels = 8)
    {
        trainer.Supernet.Module.Training = true;
        return [.. trainer.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = tensor(TestTensors.Normal(8, 5, channels, 4).ToDoubles()).reshape(5, channels, 4) })];
    }

    private static Tensor Mix(Tensor[] outputs, double[] p) => outputs.Skip(1).Select((o, k) => o * p[k]).Aggregate((a, b) => a + b);

    // By the definition: groups × channels a group, transposed.
    private static Tensor Shuffled(Tensor mixed, Tensor source, long parts)
    {
        var (n, c) = (mixed.shape[0], mixed.shape[1]);
        var joined = cat([mixed.narrow(1, 0, c / parts), source.narrow(1, c / parts, c - c / parts)], 1);
        return joined.reshape(n, parts, c / parts, -1).transpose(1, 2).reshape(mixed.shape);
    }

    private static double Deviation(Tensor[] outputs, int parts, Fault fault)
    {
        var (mixed, source) = (Mix(outputs, Softmax(0.5, -0.4, 0.2)), outputs[2]);
        var c = mixed.shape[1];
        var expected = fault switch
        {
            Fault.NoShuffle => cat([mixed.narrow(1, 0, c / parts), source.narrow(1, c / parts, c - c / parts)], 1),
            Fault.ShuffledTheOtherWay => Shuffled(mixed, source, parts).reshape(5, parts, c / parts, -1).transpose(1, 2).reshape(mixed.shape),
            Fault.NoBypass => mixed,
            Fault.ZeroBypass => Shuffled(mixed, zeros_like(source), parts),
            Fault.LastChannels => Shuffled(mixed.flip(1), source.flip(1), parts),
            _ => Shuffled(mixed, source, parts),
        };
        return (outputs[0] - expected).abs().max().item<double>();
    }
}
