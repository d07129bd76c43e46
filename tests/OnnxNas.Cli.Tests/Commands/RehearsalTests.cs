using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>What fails does so before the first step, and what only looks odd runs.</summary>
[TestClass]
public sealed class RehearsalTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void An_input_without_a_shape_takes_what_the_data_has()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Graph.AddInput("x", new TensorType(ElementType.Float32));
        var model = Saved(bench, net, x);
        var (code, _, error) = Search(bench, model);
        Assert.AreEqual(0, code, error);
        File.WriteAllText(bench["arch.json"], """{"op":"tanh"}""");
        Assert.AreEqual((0, ""), Prune(bench, model));
        var verified = Workbench.Run("verify", model);
        Assert.AreEqual(0, verified.Code, verified.Output);
    }

    [TestMethod]
    public void One_symbol_may_stand_for_two_extents_of_the_data()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var (code, _, error) = Search(bench, Saved(bench, net, net.Input("x", N, N)));
        Assert.AreEqual(0, code, error);
    }

    [TestMethod]
    public void A_model_that_rounds_to_halves_inside_is_searched_pruned_and_verified()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var (x, w) = (net.Input("x", N, 8), Halves(net, "w", 8, 8));
        var h = Cast(net, x, ElementType.Float16);
        var op = net.LayerChoice("op", ["linear", "tanh"], net.Op("MatMul", h, w), net.Op("Tanh", h));
        bench.SaveData("net.npz", Samples());
        var model = bench.Save(net.Build((Cast(net, net.Op("MatMul", op, Halves(net, "head", 8, 2)), ElementType.Float32), [N, 2])));
        var (code, _, error) = Search(bench, model);
        Assert.AreEqual(0, code, error);
        File.WriteAllText(bench["arch.json"], """{"op":"linear"}""");
        Assert.AreEqual((0, ""), Prune(bench, model));
        var verified = Workbench.Run("verify", model, bench["p.onnx"]);
        Assert.AreEqual(0, verified.Code, verified.Output);
    }

    [TestMethod]
    public void A_model_of_halves_throughout_is_searched()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Graph.AddInput("x", new TensorType(ElementType.Float16, new Shape(N, 8)));
        var op = net.LayerChoice("op", ["linear", "tanh"], net.Op("MatMul", x, Halves(net, "w", 8, 8)), net.Op("Tanh", x));
        var y = net.Op("MatMul", op, Halves(net, "head", 8, 2));
        y.Type = new TensorType(ElementType.Float16, new Shape(N, 2));
        bench.SaveData("net.npz", Samples());
        var (code, _, error) = Search(bench, bench.Save(net.Build((y, [N, 2]))));
        Assert.AreEqual(0, code, error);
    }

    [TestMethod]
    [DataRow("LayerChoice", false)]
    [DataRow("LayerChoice", true)]
    [DataRow("InputChoice", false)]
    [DataRow("InputChoice", true)]
    public void A_candidate_that_would_be_stretched_is_refused_on_reading(string kind, bool first)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var (x, zero) = (net.Op("Relu", net.Input("x", N, 8)), net.Constant("zero", [1, 8], _ => 0));
        Value[] candidates = first ? [zero, x] : [x, zero];
        var y = kind == "LayerChoice" ? net.LayerChoice("op", null, candidates) : net.InputChoice("op", 1, "sum", candidates);
        bench.SaveData("net.npz", Samples());
        var model = bench.Save(net.Build((net.Linear("head", y, 8, 2), [N, 2])));
        bench.Refuses(1, "candidates 0 and 1 differ: ", "search", model, "-o", bench["out"]);
        bench.Refuses(1, "expand a constant to the batch", "inspect", model);
    }

    [TestMethod]
    public void Extents_of_two_names_may_be_one()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var (a, b) = (net.Input("a", N, 8), net.Input("b", Dim.Symbol("M"), 8));
        bench.SaveData("net.npz", [("a", TestTensors.Normal(1, 40, 8)), ("b", TestTensors.Normal(2, 40, 8)), ("label", TestTensors.Int64s(3, 0, 2, 40))]);
        var (code, _, error) = Search(bench, bench.Save(net.Build((net.Linear("head", net.LayerChoice("op", null, a, b), 8, 2), [N, 2]))));
        Assert.AreEqual(0, code, error);
    }

    [TestMethod]
    public void What_fails_for_one_candidate_alone_fails_before_the_first_step_and_leaves_nothing()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 8);
        // The shape of this candidate cannot be known; it is one row, whatever the batch.
        var row = net.Op("Compress", [x, net.Graph.AddConstant("pick", TensorData.Vector(true))], Attr.Of("axis", 0L));
        bench.SaveData("net.npz", Samples());
        var model = bench.Save(net.Build((net.Linear("head", net.LayerChoice("op", ["plain", "row"], net.Op("Relu", x), row), 8, 2), [N, 2])));
        foreach (var more in new string[][] { [], ["--dry-run"] })
            bench.Refuses(1, "The rehearsal before the search failed at a training step of op=row: Cross-entropy takes logits", ["search", model, "--epochs", "2", "-o", bench["out"], .. more]);
    }

    [TestMethod]
    public void A_loss_that_is_no_number_is_an_early_error()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 8);
        var h = net.LayerChoice("op", null, net.Op("Tanh", x), net.Op("Relu", x));
        bench.SaveData("net.npz", Samples());
        var model = bench.Save(net.Build((net.Op("Mul", net.Linear("head", h, 8, 2), net.Constant("far", [], _ => double.PositiveInfinity)), [N, 2])));
        foreach (var (strategy, stage) in new[] { ("darts", "a training step: The loss became"), ("random", "a training step of op=0: The loss became") })
        {
            var (code, _, error) = Workbench.Run("search", model, "--epochs", "2", "--strategy", strategy, "-o", bench["out"]);
            Assert.AreEqual(1, code, error);
            Assert.Contains($"The rehearsal before the search failed at {stage}", error);
            Assert.IsFalse(Directory.Exists(bench["out"]));
        }
    }

    [TestMethod]
    public void A_winner_at_chance_that_is_not_retrained_is_warned_of()
    {
        using var bench = new Workbench();
        // Labels that nothing in the inputs tells.
        var (code, _, error) = Workbench.Run("search", bench.Classifier(), "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8", "-o", bench["out"]);
        Assert.AreEqual(0, code, error);
        Assert.Contains("warning: the winner is not retrained (--retrain-epochs 0), and its accuracy on the validation samples is", error);
        var retrained = Workbench.Run("search", bench.Classifier(), "--epochs", "1", "--batch-size", "8", "-o", bench["other"]);
        Assert.DoesNotContain("warning: the winner is not retrained", retrained.Error);
    }

    private static (int Code, string Output, string Error) Search(Workbench bench, string model) =>
        Workbench.Run("search", model, "--epochs", "1", "--batch-size", "16", "-o", bench["out"]);

    private static (int Code, string Error) Prune(Workbench bench, string model)
    {
        var (code, _, error) = Workbench.Run("prune", model, "--arch", bench["arch.json"], "-o", bench["p.onnx"]);
        return (code, error);
    }

    private static string Saved(Workbench bench, NetBuilder net, Value x)
    {
        bench.SaveData("net.npz", Samples());
        var h = net.Linear("a", x, 8, 8);
        return bench.Save(net.Build((net.Linear("head", net.LayerChoice("op", ["relu", "tanh"], net.Op("Relu", h), net.Op("Tanh", h)), 8, 2), [N, 2])));
    }

    private static Value Cast(NetBuilder net, Value x, ElementType to) => net.Op("Cast", [x], Attr.Of("to", (long)to));

    private static Value Halves(NetBuilder net, string name, long rows, long columns) =>
        net.Graph.AddInitializer(name, TestTensors.Normal(name.Length, rows, columns).As(ElementType.Float16));

    private static (string Name, TensorData Data)[] Samples() => [("x", TestTensors.Normal(5, 60, 8)), ("label", TestTensors.Int64s(6, 0, 2, 60))];
}
