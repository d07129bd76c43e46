using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class GraphModuleTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_value_is_freed_after_its_last_reader()
    {
        // A chain of fifty: at no time may more than a few intermediate values live.
        var net = new NetBuilder();
        var y = net.Input("x", N, 4);
        for (var i = 0; i < 50; i++)
            y = net.Graph.Call(Probe.Name, [y], domain: Probe.Domain);
        var probe = new Probe();
        using var module = Module(net.Build((y, [N, 4])), probe);
        using var scope = NewDisposeScope();
        module.Forward(ones(2, 4));
        Assert.HasCount(50, probe.Alive);
        Assert.IsLessThanOrEqualTo(4, probe.Alive.Max() - probe.Alive.Min(), string.Join(' ', probe.Alive));
    }

    [TestMethod]
    public void The_mutant_that_keeps_every_value_fails_that_check()
    {
        var net = new NetBuilder();
        var y = net.Input("x", N, 4);
        var all = new List<(Value, Dim[])>();
        for (var i = 0; i < 50; i++)
        {
            y = net.Graph.Call(Probe.Name, [y], domain: Probe.Domain);
            all.Add((y, [N, 4]));
        }

        var probe = new Probe();
        using var module = Module(net.Build([.. all]), probe);
        using var scope = NewDisposeScope();
        module.Forward(new Dictionary<string, Tensor> { ["x"] = ones(2, 4) });
        Assert.IsGreaterThan(40, probe.Alive.Max() - probe.Alive.Min());
    }

    [TestMethod]
    public void A_value_read_far_apart_lives_until_its_last_reader()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var early = net.Op("Tanh", x);
        var y = early;
        for (var i = 0; i < 5; i++)
            y = net.Op("Relu", y);
        using var module = new GraphModule(net.Build((net.Op("Sub", net.Op("Tanh", y), early), [N, 4])));
        using var scope = NewDisposeScope();
        var input = tensor(new float[,] { { -1, 0, 1, 2 } });
        Assert.IsTrue(module.Forward(input).allclose(input.tanh().relu().tanh() - input.tanh()));
    }

    [TestMethod]
    public void A_candidate_nobody_asks_for_is_never_computed_nor_what_only_it_needs()
    {
        foreach (var picks in new int[][] { [0], [1], [1, 0], [], [1, 1] })
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            var shared = net.Graph.Call(Probe.Name, [x], "shared", Probe.Domain);
            var a = net.Graph.Call(Probe.Name, [net.Graph.Call(Probe.Name, [shared], "a0", Probe.Domain)], "a", Probe.Domain);
            var b = net.Graph.Call(Probe.Name, [shared], "b", Probe.Domain);
            var y = net.Graph.Call(Picker.Name, [a, b], domain: Probe.Domain);
            var probe = new Probe();
            using var module = Module(net.Build((y, [N, 4])), probe, new Picker(picks));
            using var scope = NewDisposeScope();
            module.Forward(ones(1, 4));
            string[] expected = [.. picks.Length > 0 ? ["shared"] : Array.Empty<string>(), .. picks.Contains(0) ? ["a0", "a"] : Array.Empty<string>(), .. picks.Contains(1) ? ["b"] : Array.Empty<string>()];
            CollectionAssert.AreEquivalent(expected, probe.Ran, string.Join(',', picks));
        }
    }

    [TestMethod]
    public void What_an_unasked_candidate_shares_with_others_is_freed_all_the_same()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var shared = net.Graph.Call(Probe.Name, [x], "shared", Probe.Domain);
        var unasked = net.Graph.Call(Probe.Name, [shared], "unasked", Probe.Domain);
        var asked = net.Graph.Call(Probe.Name, [shared], "asked", Probe.Domain);
        var y = net.Graph.Call(Picker.Name, [asked, unasked], domain: Probe.Domain);
        for (var i = 0; i < 10; i++)
            y = net.Graph.Call(Probe.Name, [y], $"tail{i}", Probe.Domain);
        var probe = new Probe();
        using var module = Module(net.Build((y, [N, 4])), probe, new Picker([0]));
        using var scope = NewDisposeScope();
        module.Forward(ones(1, 4));
        // When the tail runs, neither 'shared' nor 'asked' is left: as many values live as when 'asked' began.
        Assert.IsLessThanOrEqualTo(probe.Alive[1], probe.Alive[^1], string.Join(' ', probe.Alive));
    }

    [TestMethod]
    public void A_value_that_is_read_by_a_lazy_and_an_eager_node_is_computed_once()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var both = net.Graph.Call(Probe.Name, [x], "both", Probe.Domain);
        var picked = net.Graph.Call(Picker.Name, [both, both], domain: Probe.Domain);
        var probe = new Probe();
        using var module = Module(net.Build((net.Op("Add", picked, both), [N, 4]), (both, [N, 4])), probe, new Picker([1]));
        using var scope = NewDisposeScope();
        var outputs = module.Forward(new Dictionary<string, Tensor> { ["x"] = ones(1, 4) });
        CollectionAssert.AreEqual((string[])["both"], probe.Ran);
        Assert.AreEqual(8, outputs[0].sum().item<float>());
        Assert.AreEqual(4, outputs[1].sum().item<float>());
    }

    [TestMethod]
    public void Outputs_belong_to_the_callers_scope_and_nothing_else_is_left()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var l = net.Linear("l", x, 4, 4);
        // An output twice, an input as output, a constant as output.
        var model = net.Build((net.Op("Relu", l), [N, 4]), (l, [N, 4]), (l, [N, 4]), (x, [N, 4]), (net.Weight("constant", 1, 4), [1, 4]));
        using var module = new GraphModule(model);
        using var outer = NewDisposeScope();
        var input = ones(2, 4);
        var before = Tensor.TotalCount;
        using (NewDisposeScope())
        {
            var outputs = module.Forward(new Dictionary<string, Tensor> { ["x"] = input });
            Assert.HasCount(5, outputs);
            Assert.AreEqual(before + 5, Tensor.TotalCount);
            Assert.IsTrue(outputs[1].allclose(outputs[2]));
            Assert.IsTrue(outputs[3].allclose(input));
        }

        Assert.AreEqual(before, Tensor.TotalCount);
        Assert.AreEqual(8, input.sum().item<float>());
        using (NewDisposeScope())
            Assert.AreEqual(4, module.Forward(new Dictionary<string, Tensor> { ["x"] = input })[4].numel());
    }

    [TestMethod]
    public void A_run_that_fails_half_way_leaves_no_tensor_behind()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var y = net.Graph.Call(Picker.Name, [net.Op("Tanh", net.Op("Relu", x))], domain: Probe.Domain);
        using var module = Module(net.Build((net.Op("Relu", y), [N, 4])), new Probe(), new Picker([5]));
        using var outer = NewDisposeScope();
        var input = ones(2, 4);
        var before = Tensor.TotalCount;
        using (NewDisposeScope())
            Assert.Throws<ArgumentOutOfRangeException>(() => module.Forward(input));
        Assert.AreEqual(before, Tensor.TotalCount);
    }

    [TestMethod]
    public void Running_statistics_follow_onnx_in_training_and_stand_still_otherwise()
    {
        var (model, x) = Normalized();
        using var module = new GraphModule(model);
        using var scope = NewDisposeScope();
        var (mean, variance) = (Numbers(module, "bn.mean"), Numbers(module, "bn.var"));
        module.Forward(x);
        CollectionAssert.AreEqual(mean, Numbers(module, "bn.mean"));
        module.Training = true;
        module.UpdateBuffers = false;
        module.Forward(x);
        CollectionAssert.AreEqual(mean, Numbers(module, "bn.mean"));
        CollectionAssert.AreEqual(variance, Numbers(module, "bn.var"));
        module.UpdateBuffers = true;
        var samples = x.ToTensorData().ToDoubles();
        for (var step = 0; step < 3; step++)
        {
            module.Forward(x);
            for (var c = 0; c < 3; c++)
            {
                var channel = samples.Where((_, i) => i % 3 == c).ToArray();
                // The population's variance, not the sample's.
                mean[c] = mean[c] * 0.75 + channel.Average() * 0.25;
                variance[c] = variance[c] * 0.75 + channel.Average(v => Math.Pow(v - channel.Average(), 2)) * 0.25;
                Assert.AreEqual(mean[c], Numbers(module, "bn.mean")[c], 1e-5);
                Assert.AreEqual(variance[c], Numbers(module, "bn.var")[c], 1e-5);
            }
        }
    }

    [TestMethod]
    public void Parameters_and_statistics_are_written_back_by_name_and_constants_are_not_touched()
    {
        var (model, x) = Normalized();
        using var module = new GraphModule(model) { Training = true };
        using var scope = NewDisposeScope();
        module.Forward(x);
        using (no_grad())
            module.Parameters["l.weight"].mul_(Scalars.Of(2));
        var copy = model.Clone();
        module.WriteBack(copy.Graph);
        foreach (var value in model.Graph.Initializers)
        {
            var (before, after) = (value.Initializer!.ToDoubles(), copy.Graph.Find(value.Name)!.Initializer!.ToDoubles());
            var expected = value.Name switch
            {
                "l.weight" => [.. before.Select(v => 2 * v)],
                "bn.mean" or "bn.var" => Numbers(module, value.Name),
                _ => before,
            };
            CollectionAssert.AreEqual(expected, after, value.Name);
        }

        using var again = new GraphModule(copy);
        Assert.IsTrue(again.Parameters["l.weight"].allclose(module.Parameters["l.weight"]));
        CollectionAssert.AreEqual(Numbers(module, "bn.var"), Numbers(again, "bn.var"));
    }

    [TestMethod]
    public void Feeds_that_are_missing_or_unknown_are_refused_by_name()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        net.Graph.AddInput("w", new TensorType(ElementType.Float32, new Shape(4)));
        var w = net.Graph.AddInitializer("w", TensorData.Vector(1f, 2, 3, 4));
        using var module = new GraphModule(net.Build((net.Op("Mul", x, w), [N, 4])));
        using var scope = NewDisposeScope();
        Assert.Contains("'x'", Assert.ThrowsExactly<DataException>(() => module.Forward(new Dictionary<string, Tensor>())).Message);
        Assert.Contains("'z'", Assert.ThrowsExactly<DataException>(() => module.Forward(new Dictionary<string, Tensor> { ["x"] = ones(1, 4), ["z"] = ones(1) })).Message);
        Assert.AreEqual(10, module.Forward(ones(1, 4)).sum().item<float>());
        // A default may be replaced, for one run.
        Assert.AreEqual(4, module.Forward(new Dictionary<string, Tensor> { ["x"] = ones(1, 4), ["w"] = ones(4) })[0].sum().item<float>());
        Assert.AreEqual(10, module.Forward(ones(1, 4)).sum().item<float>());
    }

    [TestMethod]
    public void Fifty_training_steps_leave_no_tensor_behind()
    {
        var (model, x) = Normalized();
        using var module = new GraphModule(model) { Training = true };
        // What other tests left to finalizers would be counted out between.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var start = 0L;
        for (var step = 0; step < 60; step++)
        {
            using (NewDisposeScope())
            {
                var gradients = autograd.grad([module.Forward(x).Square().sum()], [.. module.Parameters.Values], allow_unused: true);
                Assert.HasCount(module.Parameters.Count, gradients);
            }

            if (step == 9)
                start = Tensor.TotalCount;
        }

        Assert.AreEqual(start, Tensor.TotalCount);
    }

    [TestMethod]
    public void Disposing_frees_every_parameter_buffer_and_constant()
    {
        var (model, _) = Normalized();
        // TorchSharp goes on counting the tensor that a parameter was made of and has emptied.
        var before = Tensor.TotalCount;
        new TorchSharp.Modules.Parameter(zeros(1)).Dispose();
        var emptied = Tensor.TotalCount - before;
        before = Tensor.TotalCount;
        var module = new GraphModule(model);
        var parameters = module.Parameters.Count;
        module.Dispose();
        Assert.AreEqual(before + emptied * parameters, Tensor.TotalCount);
    }

    private static (Model Model, Tensor X) Normalized()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 3);
        var model = net.Build((net.Linear("l", net.Op("Add", net.BatchNorm("bn", x, 3, momentum: 0.75f), net.Constant("offset", [], _ => 1)), 3, 2), [N, 2]));
        return (model, TestTensors.Normal(4, 8, 3).ToTorch().DetachFromDisposeScope());
    }

    private static double[] Numbers(GraphModule module, string buffer) => module.Buffers[buffer].ToTensorData().ToDoubles();

    private static GraphModule Module(Model model, params OnnxOperator[] operators)
    {
        model.OpsetImports[Probe.Domain] = 1;
        return new(model, new([.. OperatorRegistry.FamiliesOf(typeof(OperatorRegistry).Assembly), new Family(operators)]));
    }

    private sealed class Family(OnnxOperator[] operators) : IOperatorFamily
    {
        public IEnumerable<OperatorDefinition> Operators => operators.Select(o => new OperatorDefinition(o is Probe ? Probe.Name : Picker.Name, [1], node =>
        {
            if (o is not Probe probe)
                return o;
            return new Named(probe, node.Node.Output.Name);
        })
        { Domain = Probe.Domain });
    }

    // Hands on x + 1, and notes who ran and how many tensors lived then.
    private sealed class Probe : OnnxOperator
    {
        public const string Name = "Probe";
        public const string Domain = "test";

        public List<long> Alive { get; } = [];

        public List<string> Ran { get; } = [];

        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.Input(0)];

        public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
        {
            Alive.Add(Tensor.TotalCount);
            return [inputs[0]!.clone()];
        }
    }

    private sealed class Named(Probe probe, string name) : OnnxOperator
    {
        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => probe.Infer(context);

        public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
        {
            probe.Ran.Add(name);
            return probe.Run(inputs, context);
        }
    }

    // The sum of the inputs it is told to ask for, in that order; ones where it asks for none.
    private sealed class Picker(int[] picks) : LazyOperator
    {
        public const string Name = "Picker";

        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.Input(0)];

        public override Tensor?[] Run(ILazyInputs inputs, RunContext context) =>
            [picks.Length == 0 ? ones(1, 4) : picks.Select(p => p < inputs.Count ? inputs[p] : throw new ArgumentOutOfRangeException(nameof(inputs))).Aggregate((a, b) => a.Plus(b))];
    }
}
