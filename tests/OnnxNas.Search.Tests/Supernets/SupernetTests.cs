using OnnxNas.Ir;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Supernets;

[TestClass]
public sealed class SupernetTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_choice_left_unreplaced_stops_before_training()
    {
        using var supernet = new Supernet(SearchSpace.Read(Nested()));
        supernet.ReplaceLayerChoice(_ => new Recorder());
        var message = Assert.ThrowsExactly<ChoiceException>(() => supernet.Module).Message;
        Assert.Contains("1 choices are left", message);
        Assert.Contains("'joined'", message);
        Assert.Contains("ReplaceInputChoice", message);
        supernet.ReplaceInputChoice(_ => new Recorder());
        Assert.IsNotNull(supernet.Module);
    }

    [TestMethod]
    public void Choices_within_candidates_are_replaced_too()
    {
        using var supernet = new Supernet(SearchSpace.Read(Nested()));
        var labels = new List<string>();
        supernet.ReplaceLayerChoice(c => Note(c.Label));
        supernet.ReplaceInputChoice(c => Note(c.Label));
        CollectionAssert.AreEquivalent((string[])["inner", "outer", "joined"], labels);
        Assert.IsNotNull(supernet.Module);

        Recorder Note(string label)
        {
            labels.Add(label);
            return new();
        }
    }

    [TestMethod]
    public void Replacing_after_the_first_run_is_refused()
    {
        using var supernet = new Supernet(SearchSpace.Read(Nested()));
        supernet.ReplaceLayerChoice(_ => new Recorder());
        supernet.ReplaceInputChoice(_ => new Recorder());
        _ = supernet.Module;
        Assert.ThrowsExactly<InvalidOperationException>(() => supernet.ReplaceLayerChoice(_ => new Recorder()));
    }

    [TestMethod]
    public void One_module_serves_all_markers_of_a_label_and_hears_of_each_forward_once()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var first = net.LayerChoice("shared", null, net.Op("Tanh", x), x);
        var model = net.Build((net.LayerChoice("shared", null, net.Op("Relu", first), first), [N, 4]));
        var made = new List<Recorder>();
        using var supernet = new Supernet(SearchSpace.Read(model));
        supernet.ReplaceLayerChoice(_ =>
        {
            made.Add(new());
            return made[^1];
        });
        using var scope = NewDisposeScope();
        supernet.Forward(new Dictionary<string, Tensor> { ["x"] = ones(2, 4) });
        Assert.HasCount(1, made);
        Assert.AreEqual(1, made[0].Befores);
        Assert.AreEqual(2, made[0].Forwards);
    }

    [TestMethod]
    public void A_candidate_nobody_asks_for_is_not_computed_and_gets_null_gradients()
    {
        using var supernet = new Supernet(SearchSpace.Read(Nested()));
        var pick = 0;
        supernet.ReplaceLayerChoice(_ => new Recorder(() => pick));
        supernet.ReplaceInputChoice(_ => new Recorder(() => pick));
        using var scope = NewDisposeScope();
        supernet.Module.Training = true;
        foreach (var (which, used) in new[] { (0, "a.weight"), (1, "b.weight") })
        {
            pick = which;
            var loss = supernet.Forward(new Dictionary<string, Tensor> { ["x"] = ones(2, 4) })[0].sum();
            var names = supernet.Module.Parameters.Keys.ToList();
            var gradients = autograd.grad([loss], [.. supernet.Module.Parameters.Values], allow_unused: true);
            for (var i = 0; i < names.Count; i++)
                Assert.AreEqual(names[i][0] == used[0], gradients[i] is { IsInvalid: false }, $"{which}: {names[i]}");
        }
    }

    [TestMethod]
    public void The_sampled_candidates_gradient_is_that_of_the_plain_network()
    {
        var marked = Nested();
        using var supernet = new Supernet(SearchSpace.Read(marked));
        supernet.ReplaceLayerChoice(_ => new Recorder(() => 1));
        supernet.ReplaceInputChoice(_ => new Recorder(() => 1));
        var space = SearchSpace.Read(marked);
        var plain = Search.Rewriting.Pruner.Prune(marked, new Architecture(space, space.Choices.ToDictionary(c => c.Label, _ => (IReadOnlyList<int>)[1])));
        using var alone = new GraphModule(plain) { Training = true };
        using var scope = NewDisposeScope();
        var x = TestTensors.Normal(1, 3, 4).ToTorch();
        supernet.Module.Training = true;
        var expected = autograd.grad([alone.Forward(x).square().sum()], [.. alone.Parameters.Values], allow_unused: true);
        var inSupernet = alone.Parameters.Keys.Select(n => (Tensor)supernet.Module.Parameters[n]).ToArray();
        var actual = autograd.grad([supernet.Forward(new Dictionary<string, Tensor> { ["x"] = x })[0].square().sum()], inSupernet, allow_unused: true);
        Assert.IsGreaterThan(1, expected.Count);
        for (var i = 0; i < expected.Count; i++)
            Assert.IsTrue(expected[i].allclose(actual[i], 1e-6, 1e-6));
    }

    [TestMethod]
    public void Trained_weights_come_back_by_name_into_any_copy_of_the_model()
    {
        var marked = Nested();
        using var supernet = new Supernet(SearchSpace.Read(marked));
        supernet.ReplaceLayerChoice(_ => new Recorder());
        supernet.ReplaceInputChoice(_ => new Recorder());
        var before = marked.Graph.Find("a.weight")!.Initializer!.ToDoubles();
        using (no_grad())
            supernet.Module.Parameters["a.weight"].add_(1.0);
        CollectionAssert.AreEqual(before, marked.Graph.Find("a.weight")!.Initializer!.ToDoubles());
        supernet.WriteBack(marked);
        var after = marked.Graph.Find("a.weight")!.Initializer!.ToDoubles();
        for (var i = 0; i < before.Length; i++)
            Assert.AreEqual(before[i] + 1, after[i], 1e-6);
        Assert.DoesNotContain(i => i.Name.Contains("alpha", StringComparison.Ordinal), marked.Graph.Initializers);
    }

    [TestMethod]
    public void Weights_and_architecture_stand_in_the_order_of_the_model_whatever_the_process()
    {
        // An order by hash would be another one in the process that resumes a search, and hand the moments of one parameter to another.
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        string[] names = ["zeta", "alpha", "mu", "beta", "omega", "eta", "a", "z"];
        var y = names.Aggregate(x, (from, name) => net.LayerChoice(name, null, net.Linear($"{name}.w", from, 4, 4), net.Op("Tanh", from)));
        using var darts = new Darts(SmallTask.Of(net.Build((y, [N, 4])), new()));
        var module = darts.Supernet.Module;
        string NameOf(Tensor parameter) => module.Parameters.Single(p => ReferenceEquals(p.Value, parameter)).Key;
        CollectionAssert.AreEqual(names.SelectMany(n => new[] { $"{n}.w.weight", $"{n}.w.bias" }).ToArray(), darts.Supernet.Weights.Select(NameOf).ToArray());
        CollectionAssert.AreEqual(names.Select(n => $"org.onnxnas.supernet/alpha/{n}").ToArray(), darts.Supernet.ArchitectureParameters.Select(NameOf).ToArray());
    }

    [TestMethod]
    public void Fifty_training_steps_leave_no_tensor_behind()
    {
        using var darts = new Darts(SmallTask.Of(Nested(), new() { Epochs = 60, BatchSize = 32 }));
        var batches = 0;
        long early = 0;
        using var weights = new Search.Training.SgdOptimizer(darts.Supernet.Weights, 0.01, 0.9);
        using var alphas = new Search.Training.AdamOptimizer(darts.Supernet.ArchitectureParameters, 0.01);
        var open = new Stepper(darts);
        for (var epoch = 0; epoch < 60; epoch++)
        {
            foreach (var (train, valid) in darts.Task.Batches(epoch))
            {
                open.Architecture(alphas, valid);
                open.Weight(weights, train);
                batches++;
            }

            if (epoch == 9)
                early = Tensor.TotalCount;
        }

        Assert.AreEqual(60, batches);
        Assert.AreEqual(early, Tensor.TotalCount);
    }

    private static Model Nested()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var inner = net.LayerChoice("inner", null, net.Op("Tanh", x), net.Linear("b", x, 4, 4));
        var outer = net.LayerChoice("outer", null, net.Linear("a", x, 4, 4), inner);
        return net.Build((net.InputChoice("joined", 1, "sum", outer, inner), [N, 4]));
    }

    private sealed class Stepper(Darts darts)
    {
        public void Architecture(Search.Training.Optimizer optimizer, Search.Training.Batch batch) => Apply(optimizer, batch, 0);

        public void Weight(Search.Training.Optimizer optimizer, Search.Training.Batch batch) => Apply(optimizer, batch, 5);

        private void Apply(Search.Training.Optimizer optimizer, Search.Training.Batch batch, double clip)
        {
            darts.Supernet.Module.Training = true;
            var loss = darts.Task.Loss.Of(darts.Supernet.Forward(batch.Inputs)[0], batch.Label);
            Search.Training.GradientStep.Apply(loss, optimizer, clip, 0.1, "here");
        }
    }

    private sealed class Recorder(Func<int>? pick = null) : ChoiceModule
    {
        public int Befores { get; private set; }

        public int Forwards { get; private set; }

        public override void BeforeForward() => Befores++;

        public override Tensor Forward(ILazyInputs candidates)
        {
            Forwards++;
            return candidates[pick?.Invoke() ?? 0];
        }
    }
}
