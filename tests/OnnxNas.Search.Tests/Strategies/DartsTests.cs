using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class DartsTests
{
    private static readonly Dim N = Dim.Symbol("N");
    private static readonly SearchOptions Options = new() { Epochs = 2, BatchSize = 8, Seed = 3, ArchLr = 0.05, RetrainEpochs = 0 };

    [TestMethod]
    public void The_gradient_of_alpha_is_that_of_the_formula_and_sums_to_zero()
    {
        using var darts = new Darts(SmallTask.Of(Smooth(), Options));
        using var scope = NewDisposeScope();
        var gradient = AlphaGradients(darts)["org.onnxnas.supernet/alpha/op"];
        var expected = Formula(darts);
        Assert.IsGreaterThan(1e-4, expected.Max(Math.Abs));
        for (var k = 0; k < expected.Length; k++)
            Assert.AreEqual(expected[k], gradient[k], 1e-6 * (1 + Math.Abs(expected[k])));
        Assert.AreEqual(0, gradient.Sum(), 1e-6);
    }

    [TestMethod]
    public void The_mutant_that_mixes_by_sigmoids_fails_the_check_of_the_gradient()
    {
        using var mutant = new SigmoidMutant(SmallTask.Of(Smooth(), Options));
        using var scope = NewDisposeScope();
        Assert.IsGreaterThan(1e-3, Math.Abs(AlphaGradients(mutant).Values.Single().Sum()));
    }

    [TestMethod]
    public void A_constant_added_to_alpha_changes_neither_output_nor_export()
    {
        using var darts = new Darts(SmallTask.Of(Smooth(), Options));
        using var scope = NewDisposeScope();
        var (before, export) = (Output(darts), darts.Export());
        using (no_grad())
            darts.Supernet.ArchitectureParameters.Single().add_(3.0);
        var after = Output(darts);
        for (var i = 0; i < before.Length; i++)
            Assert.AreEqual(before[i], after[i], 1e-5);
        Assert.AreEqual(export, darts.Export());
    }

    [TestMethod]
    public void An_architecture_step_leaves_weights_and_buffers_and_a_weight_step_alpha_bit_for_bit()
    {
        using var darts = new StepByStep(SmallTask.Of(Smooth(), Options));
        using var alphas = new AdamOptimizer(darts.Supernet.ArchitectureParameters, 0.1, 0.5, 0.999, weightDecay: 1e-3);
        using var weights = new SgdOptimizer(darts.Supernet.Weights, 0.1, 0.9, weightDecay: 3e-4);
        foreach (var (train, valid) in darts.Task.Batches(0))
        {
            var before = State(darts);
            darts.Architecture(alphas, valid);
            var between = State(darts);
            CollectionAssert.AreEqual(before.Weights, between.Weights);
            CollectionAssert.AreEqual(before.Buffers, between.Buffers);
            Assert.IsFalse(before.Alphas.AsSpan().SequenceEqual(between.Alphas), "The architecture did not move.");
            darts.Weight(weights, train);
            var after = State(darts);
            CollectionAssert.AreEqual(between.Alphas, after.Alphas);
            Assert.IsFalse(between.Weights.AsSpan().SequenceEqual(after.Weights), "The weights did not move.");
            Assert.IsFalse(between.Buffers.AsSpan().SequenceEqual(after.Buffers), "The running statistics did not move.");
        }
    }

    [TestMethod]
    public void The_mutant_that_counts_alpha_among_the_weights_moves_alpha_in_a_weight_step()
    {
        using var darts = new StepByStep(SmallTask.Of(Smooth(), Options));
        using var scope = NewDisposeScope();
        using var everything = new SgdOptimizer([.. darts.Supernet.Weights, .. darts.Supernet.ArchitectureParameters], 0.1);
        var before = State(darts);
        foreach (var (train, _) in darts.Task.Batches(0).Take(1))
            GradientStep.Apply(LossOf(darts, train), everything, 0, 0.1, "here");
        Assert.IsFalse(before.Alphas.AsSpan().SequenceEqual(State(darts).Alphas));
    }

    [TestMethod]
    public void Neither_alpha_nor_the_label_is_among_the_weights()
    {
        using var darts = new Darts(SmallTask.Of(Smooth(), Options));
        var module = darts.Supernet.Module;
        CollectionAssert.AreEquivalent(
            (string[])["a.weight", "a.bias", "bn.scale", "bn.bias", "head.weight", "head.bias"],
            module.Parameters.Where(p => darts.Supernet.Weights.Any(w => ReferenceEquals(w, p.Value))).Select(p => p.Key).ToArray());
        Assert.HasCount(1, darts.Supernet.ArchitectureParameters);
        CollectionAssert.AreEqual((string[])["bn.mean", "bn.var"], module.Buffers.Keys.ToArray());
    }

    [TestMethod]
    public void A_label_at_two_markers_shares_one_alpha_whose_gradient_is_the_sum_of_both()
    {
        var together = Chain("s", "s");
        using var shared = new Darts(SmallTask.Of(together, Options));
        using var apart = new Darts(SmallTask.Of(Chain("s", "t"), Options));
        using var scope = NewDisposeScope();
        Assert.HasCount(1, shared.Supernet.ArchitectureParameters);
        using (no_grad())
        {
            foreach (var alpha in apart.Supernet.ArchitectureParameters)
                alpha.copy_(shared.Supernet.ArchitectureParameters[0]);
        }

        var (one, two) = (AlphaGradients(shared).Values.Single(), AlphaGradients(apart).Values.ToArray());
        for (var k = 0; k < one.Length; k++)
            Assert.AreEqual(two[0][k] + two[1][k], one[k], 1e-6);
    }

    [TestMethod]
    [DataRow("sum", 1L), DataRow("sum", 2L), DataRow("sum", 3L), DataRow("mean", 1L), DataRow("mean", 2L), DataRow("sum", 0L), DataRow("mean", 0L)]
    public void An_InputChoice_is_relaxed_as_the_rules_say(string reduction, long chosen)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        Value[] inputs = [net.Op("Tanh", x), net.Op("Sigmoid", x), net.Linear("l", x, 4, 4)];
        var model = net.Build((net.InputChoice("i", chosen, reduction, inputs), [N, 4]), (inputs[0], [N, 4]), (inputs[1], [N, 4]), (inputs[2], [N, 4]));
        using var darts = new Darts(SmallTask.Of(model, Options));
        using var scope = NewDisposeScope();
        var outputs = darts.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = TestTensors.Normal(8, 5, 4).ToTorch() }).Select(t => t.ToTensorData().ToDoubles()).ToArray();
        var alpha = darts.Supernet.ArchitectureParameters.Single().ToTensorData().ToDoubles();
        var weights = chosen == 0 ? alpha.Select(a => 1 / (1 + Math.Exp(-a))).ToArray() : Softmax(alpha);
        var factor = (reduction, chosen) switch { ("sum", > 0) => chosen, ("mean", 0) => 1 / weights.Sum(), _ => 1 };
        double Deviation(double by) => Enumerable.Range(0, outputs[0].Length).Max(i => Math.Abs(by * weights.Select((w, k) => w * outputs[k + 1][i]).Sum() - outputs[0][i]));
        Assert.IsLessThan(1e-5, Deviation(factor));
        // The mutants that ignore how many are chosen, or how they are reduced.
        if (factor != 1)
            Assert.IsGreaterThan(1e-2, Deviation(1));
        if (reduction == "mean" && chosen > 1)
            Assert.IsGreaterThan(1e-2, Deviation(chosen));
    }

    [TestMethod]
    public void An_InputChoice_that_concatenates_is_refused_by_name_before_training()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var model = net.Build((net.InputChoice("joined", 2, "concat", net.Op("Tanh", x), x), [N, 8]));
        var message = Assert.ThrowsExactly<ChoiceException>(() => new Darts(SmallTask.Of(model, Options))).Message;
        Assert.Contains("joined", message);
        Assert.Contains("concat", message);
    }

    [TestMethod]
    public void The_export_is_the_arg_max_and_the_top_n()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        Value[] four = [net.Op("Tanh", x), net.Op("Sigmoid", x), net.Linear("l", x, 4, 4), x];
        var sum = net.Op("Sum", net.LayerChoice("one", null, four), net.InputChoice("two", 2, "sum", four), net.InputChoice("any", 0, "sum", four));
        using var darts = new Darts(SmallTask.Of(net.Build((sum, [N, 4])), Options));
        Set(darts, "one", 0.1f, 0.3f, 0.2f, 0.3f);
        Set(darts, "two", 0.1f, 0.5f, -1, 0.2f);
        Set(darts, "any", -1, 0.2f, -0.1f, 2);
        Assert.AreEqual("one=1 two=1,3 any=1,3", darts.Export().ToString());
        Set(darts, "any", -3, -2, -1, -4);
        CollectionAssert.AreEqual((int[])[2], darts.Export()["any"].ToArray());
    }

    [TestMethod]
    public void The_architecture_optimizer_is_Adam_with_the_papers_settings()
    {
        // Adam by hand on the same gradients; the trainer's own takes the same path.
        var task = SmallTask.Of(Smooth(), Options);
        using var darts = new StepByStep(task);
        using var adam = new AdamOptimizer(darts.Supernet.ArchitectureParameters, Options.ArchLr, 0.5, 0.999, weightDecay: Options.ArchWeightDecay);
        var alpha = darts.Supernet.ArchitectureParameters.Single();
        var x = alpha.ToTensorData().ToDoubles();
        var (m, v) = (new double[x.Length], new double[x.Length]);
        var step = 0;
        foreach (var (_, valid) in task.Batches(0))
        {
            step++;
            darts.Supernet.Module.UpdateBuffers = false;
            var gradient = autograd.grad([LossOf(darts, valid)], [alpha], allow_unused: true)[0].ToTensorData().ToDoubles();
            for (var k = 0; k < x.Length; k++)
            {
                var g = gradient[k] + 1e-3 * x[k];
                (m[k], v[k]) = (0.5 * m[k] + 0.5 * g, 0.999 * v[k] + 0.001 * g * g);
                x[k] -= Options.ArchLr * (m[k] / (1 - Math.Pow(0.5, step))) / (Math.Sqrt(v[k] / (1 - Math.Pow(0.999, step))) + 1e-8);
            }

            darts.Architecture(adam, valid);
            var actual = alpha.ToTensorData().ToDoubles();
            for (var k = 0; k < x.Length; k++)
                Assert.AreEqual(x[k], actual[k], 2e-4, $"step {step}");
        }

        Assert.IsGreaterThan(2, step);
    }

    [TestMethod]
    public void Fit_is_alternating_steps_of_those_optimizers_on_those_batches()
    {
        var model = Smooth();
        using var fitted = new Darts(SmallTask.Of(model, Options));
        fitted.Fit();
        using var byHand = new StepByStep(SmallTask.Of(model, Options));
        using var weights = new SgdOptimizer(byHand.Supernet.Weights, Options.Lr, 0.9, weightDecay: 3e-4);
        using var alphas = new AdamOptimizer(byHand.Supernet.ArchitectureParameters, Options.ArchLr, 0.5, 0.999, weightDecay: 1e-3);
        for (var epoch = 0; epoch < Options.Epochs; epoch++)
        {
            weights.LearningRate = 0.001 + (0.025 - 0.001) * (1 + Math.Cos(Math.PI * epoch / Options.Epochs)) / 2;
            foreach (var (train, valid) in byHand.Task.Batches(epoch))
            {
                byHand.Architecture(alphas, valid);
                byHand.Weight(weights, train);
            }
        }

        var (a, b) = (State(fitted), State(byHand));
        CollectionAssert.AreEqual(b.Alphas, a.Alphas);
        CollectionAssert.AreEqual(b.Weights, a.Weights);
        CollectionAssert.AreEqual(b.Buffers, a.Buffers);
    }

    [TestMethod]
    public void A_search_finds_the_candidate_that_fits_the_targets()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var model = net.Build((net.LayerChoice("op", ["zero", "negative", "identity"], net.Op("Mul", x, net.Constant("z", [], _ => 0)), net.Op("Neg", net.Op("Mul", x, net.Weight("slope", 4))), net.Op("Mul", x, net.Constant("scale", [4], _ => 1))), [N, 4]));
        var samples = TestTensors.Normal(4, 32, 4);
        var data = Search.Data.Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = samples }, samples);
        var task = new TrainingTask(SearchSpace.Read(model), data, data, Loss.Named("mse"), () => Search.Metrics.MetricSet.Default("mse"), Options with { Epochs = 10 }, new SmallTask(), CPU, default);
        using var darts = new Darts(task);
        darts.Fit();
        Assert.AreEqual("op=identity", darts.Export().ToString());
        Assert.IsGreaterThan(0.5, darts.Probabilities(task.Space["op"])[2]);
        Assert.AreEqual(1, darts.Probabilities(task.Space["op"]).Sum(), 1e-9);
    }

    [TestMethod]
    public void A_float64_model_searches_in_float64()
    {
        using var darts = new Darts(SmallTask.Of(Smooth(ElementType.Float64), Options));
        darts.Fit();
        Assert.IsTrue(darts.Supernet.Weights.All(w => w.dtype == ScalarType.Float64));
        Assert.IsTrue(double.IsFinite(darts.ValidMetric));
    }

    [TestMethod]
    public void A_space_without_a_single_weight_searches_too()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        using var darts = new Darts(SmallTask.Of(net.Build((net.LayerChoice("op", null, net.Op("Tanh", x), net.Op("Relu", x)), [N, 4])), Options));
        darts.Fit();
        Assert.IsTrue(double.IsFinite(darts.ValidMetric));
    }

    private static Model Smooth(ElementType type = ElementType.Float32)
    {
        var net = new NetBuilder(2, type);
        var x = net.Input("x", N, 4);
        var choice = net.LayerChoice("op", ["linear", "tanh", "bn"], net.Linear("a", x, 4, 4), net.Op("Tanh", x), net.BatchNorm("bn", x, 4));
        return net.Build((net.Linear("head", choice, 4, 2), [N, 2]));
    }

    private static Model Chain(string first, string second)
    {
        var net = new NetBuilder(2);
        var x = net.Input("x", N, 4);
        var y = net.LayerChoice(first, null, net.Linear("a", x, 4, 4), net.Op("Tanh", x));
        return net.Build((net.LayerChoice(second, null, net.Linear("b", y, 4, 4), net.Op("Sigmoid", y)), [N, 4]));
    }

    // p_i (<g, o_i> - sum_j p_j <g, o_j>) by hand: candidates, head and the loss' derivative in doubles.
    private static double[] Formula(Darts darts)
    {
        var parameters = darts.Supernet.Module.Parameters.ToDictionary(p => p.Key, p => p.Value.ToTensorData().ToDoubles());
        var (x, label) = FirstBatch(darts.Task);
        const int n = 8;
        double Norm(int i, int c)
        {
            var column = Enumerable.Range(0, n).Select(r => x[r * 4 + c]).ToArray();
            var (mean, variance) = (column.Average(), column.Average(v => Math.Pow(v - column.Average(), 2)));
            return (x[i * 4 + c] - mean) / Math.Sqrt(variance + 1e-5f) * parameters["bn.scale"][c] + parameters["bn.bias"][c];
        }

        double[] Candidate(Func<int, int, double> f) => [.. Enumerable.Range(0, n * 4).Select(e => f(e / 4, e % 4))];
        double[][] o =
        [
            Candidate((i, c) => parameters["a.bias"][c] + Enumerable.Range(0, 4).Sum(k => x[i * 4 + k] * parameters["a.weight"][k * 4 + c])),
            Candidate((i, c) => Math.Tanh(x[i * 4 + c])),
            Candidate(Norm),
        ];
        var p = Softmax(parameters["org.onnxnas.supernet/alpha/op"]);
        var mixed = Enumerable.Range(0, n * 4).Select(e => p.Select((w, k) => w * o[k][e]).Sum()).ToArray();
        var error = Enumerable.Range(0, n * 2).Select(e =>
            parameters["head.bias"][e % 2] + Enumerable.Range(0, 4).Sum(k => mixed[e / 2 * 4 + k] * parameters["head.weight"][k * 2 + e % 2]) - label[e]).ToArray();
        var g = Candidate((i, c) => Enumerable.Range(0, 2).Sum(k => 2.0 / (n * 2) * error[i * 2 + k] * parameters["head.weight"][c * 2 + k]));
        var inner = o.Select(candidate => candidate.Zip(g).Sum(z => z.First * z.Second)).ToArray();
        var mean = p.Zip(inner).Sum(z => z.First * z.Second);
        return [.. p.Select((w, k) => w * (inner[k] - mean))];
    }

    private static double[] Softmax(double[] alpha) => [.. alpha.Select(a => Math.Exp(a) / alpha.Sum(Math.Exp))];

    private static (double[] X, double[] Label) FirstBatch(TrainingTask task)
    {
        foreach (var (_, valid) in task.Batches(0))
            return (valid.Inputs["x"].ToTensorData().ToDoubles(), valid.Label.ToTensorData().ToDoubles());
        throw new InvalidOperationException("There is no batch.");
    }

    private static Tensor LossOf(OneShotTrainer trainer, Batch batch)
    {
        trainer.Supernet.Module.Training = true;
        return trainer.Task.Loss.Of(trainer.Supernet.Forward(batch.Inputs)[0], batch.Label);
    }

    private static Dictionary<string, double[]> AlphaGradients(OneShotTrainer trainer)
    {
        foreach (var (_, valid) in trainer.Task.Batches(0))
        {
            var named = trainer.Supernet.Module.Parameters.Where(p => p.Key.Contains("alpha", StringComparison.Ordinal)).ToList();
            var gradients = autograd.grad([LossOf(trainer, valid)], [.. trainer.Supernet.ArchitectureParameters], allow_unused: true);
            return gradients.Select((g, i) => (Name: named.Count > i ? named[i].Key : $"{i}", Values: g.ToTensorData().ToDoubles())).ToDictionary(p => p.Name, p => p.Values);
        }

        throw new InvalidOperationException("There is no batch.");
    }

    private static float[] Output(OneShotTrainer trainer) =>
        trainer.Supernet.Forward(new Dictionary<string, Tensor> { ["x"] = TestTensors.Normal(8, 5, 4).ToTorch() })[0].ToTensorData().AsSpan<float>().ToArray();

    private static void Set(Darts darts, string label, params float[] values)
    {
        using var off = no_grad();
        darts.Supernet.Module.Parameters[$"org.onnxnas.supernet/alpha/{label}"].copy_(tensor(values));
    }

    private static (byte[] Weights, byte[] Buffers, byte[] Alphas) State(OneShotTrainer trainer) => (
        [.. trainer.Supernet.Weights.SelectMany(w => w.ToTensorData().Bytes.ToArray())],
        [.. trainer.Supernet.Module.Buffers.Values.SelectMany(w => w.ToTensorData().Bytes.ToArray())],
        [.. trainer.Supernet.ArchitectureParameters.SelectMany(w => w.ToTensorData().Bytes.ToArray())]);

    // Darts with its steps opened: the same graph, and the same alpha to start with.
    private sealed class StepByStep : OneShotTrainer
    {
        public StepByStep(TrainingTask task) : base(task)
        {
            using var darts = new Darts(task);
            Supernet.ReplaceLayerChoice((choice, marker) =>
            {
                var alpha = Supernet.ArchitectureParameter(choice, () => TensorData.Vector<float>([.. darts.Supernet.ArchitectureValues(choice).Select(a => (float)a)]));
                var weights = marker.Graph.Call("Softmax", [alpha], attributes: [Attr.Of("axis", 0L)], before: marker);
                return marker.Graph.Call("Mix", [weights, .. marker.Inputs], domain: "org.onnxnas.supernet", before: marker);
            });
        }

        public double Architecture(Optimizer optimizer, Batch batch) => ArchitectureStep(optimizer, batch);

        public double Weight(Optimizer optimizer, Batch batch) => WeightStep(optimizer, batch);

        public override void Fit() => throw new NotSupportedException();

        public override Architecture Export() => throw new NotSupportedException();
    }

    private sealed class SigmoidMutant : OneShotTrainer
    {
        public SigmoidMutant(TrainingTask task) : base(task) => ReplaceLayerChoice(_ => new Gates());

        public override void Fit() => throw new NotSupportedException();

        public override Architecture Export() => throw new NotSupportedException();

        private sealed class Gates : ChoiceModule
        {
            private TorchSharp.Modules.Parameter Alpha { get; } = new(zeros(3));

            public override IEnumerable<TorchSharp.Modules.Parameter> ArchitectureParameters => [Alpha];

            public override Tensor Forward(Operators.ILazyInputs candidates)
            {
                var p = Alpha.sigmoid().unbind(0);
                return p[0] * candidates[0] + p[1] * candidates[1] + p[2] * candidates[2];
            }
        }
    }
}
