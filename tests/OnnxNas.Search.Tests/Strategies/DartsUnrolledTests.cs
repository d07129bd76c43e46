using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static OnnxNas.Search.Tests.Strategies.Sampling;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

/// <summary>The second order of DARTS through a supernet with batch norm, momentum and weight decay, in float64.</summary>
[TestClass]
public sealed class DartsUnrolledTests
{
    private static readonly SearchOptions Options = new() { Epochs = 1, BatchSize = 16, Seed = 3, ArchLr = 0.05, Lr = 0.2, MinLr = 0.2, WeightDecay = 0.01, ArchWeightDecay = 0, Unrolled = true };

    [TestMethod]
    public void The_step_follows_the_numerical_derivative_and_first_order_does_not()
    {
        using var scope = NewDisposeScope();
        Assert.IsLessThan(1e-3, Error(unrolled: true));
        Assert.IsGreaterThan(1e-2, Error(unrolled: false));
    }

    [TestMethod]
    public void Weights_momentum_and_batch_norm_buffers_come_back_bit_for_bit()
    {
        using var darts = new Darts(SmallTask.Of(Net(), Options));
        using var stepper = new Stepper(darts);
        var before = stepper.Bits();
        Assert.IsTrue(before.Length > 0 && darts.Supernet.Module.Buffers.Count == 2);
        var alpha = Alpha(darts, "op");
        darts.StepArchitecture(stepper.Train, stepper.Valid);
        CollectionAssert.AreEqual(before, stepper.Bits());
        Assert.IsFalse(alpha.SequenceEqual(Alpha(darts, "op")));
    }

    [TestMethod]
    public void Without_a_learning_rate_it_is_the_first_order_bit_for_bit()
    {
        double[] Step(bool unrolled)
        {
            using var darts = new Darts(SmallTask.Of(Net(), Options with { Unrolled = unrolled }));
            using var stepper = new Stepper(darts);
            stepper.Weights.LearningRate = 0;
            darts.StepArchitecture(stepper.Train, stepper.Valid);
            return Alpha(darts, "op");
        }

        CollectionAssert.AreEqual(Step(false), Step(true));
    }

    [TestMethod]
    public void The_option_changes_what_a_search_does()
    {
        double[] Fit(bool unrolled)
        {
            using var darts = new Darts(SmallTask.Of(Net(), Options with { Unrolled = unrolled }));
            darts.Fit();
            return Alpha(darts, "op");
        }

        Assert.IsFalse(Fit(true).SequenceEqual(Fit(false)));
    }

    // The gradient out of Adam's first moment, against differences of F(α) = L_val(w'(α), α).
    private static double Error(bool unrolled)
    {
        using var darts = new Darts(SmallTask.Of(Net(), Options with { Unrolled = unrolled }));
        using var stepper = new Stepper(darts);
        darts.Supernet.Module.UpdateBuffers = false;
        var start = Alpha(darts, "op");
        const double h = 1e-5;
        var numerical = start.Select((_, k) =>
        {
            double At(double shift)
            {
                Set(darts, "op", [.. start.Select((a, j) => j == k ? a + shift : a)]);
                return stepper.AfterAStep();
            }

            return (At(h) - At(-h)) / (2 * h);
        }).ToArray();
        Set(darts, "op", start);
        darts.StepArchitecture(stepper.Train, stepper.Valid);
        var gradient = stepper.Alphas.State(0, 0).ToDoubles();
        return numerical.Zip(gradient).Max(p => Math.Abs(p.First - 2 * p.Second)) / numerical.Max(Math.Abs);
    }

    private static Model Net()
    {
        var net = new NetBuilder(2, ElementType.Float64);
        var x = net.Input("x", N, 4);
        var choice = net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4)), net.BatchNorm("bn", net.Op("Tanh", x), 4));
        return net.Build((net.Linear("head", net.Op("Tanh", choice), 4, 2), [N, 2]));
    }

    // The optimizers of a trainer, after two steps of the weights, and two batches.
    private sealed class Stepper : IDisposable
    {
        private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
        private readonly Darts darts;

        public Stepper(Darts darts)
        {
            this.darts = darts;
            darts.Weights = Weights = darts.Task.Options.NewWeightOptimizer(darts.Supernet.Weights);
            darts.Alphas = Alphas = new AdamOptimizer(darts.Supernet.ArchitectureParameters, 0.05, 0.5, 0.999);
            foreach (var (train, valid) in darts.Task.Batches(0))
            {
                darts.StepWeights(train);
                Train = Kept(train);
                Valid = Kept(valid);
            }
        }

        public SgdOptimizer Weights { get; }

        public AdamOptimizer Alphas { get; }

        public Batch Train { get; } = null!;

        public Batch Valid { get; } = null!;

        public byte[] Bits() => [.. darts.Supernet.Weights.Concat(darts.Supernet.Module.Buffers.Values).Concat(Weights.Parameters.Select((_, i) => Weights.State(i, 0))).SelectMany(t => t.ToTensorData().Bytes.ToArray())];

        public double AfterAStep()
        {
            using var inner = NewDisposeScope();
            var w = darts.Supernet.Weights;
            var start = w.Select(p => p.detach().clone()).ToArray();
            var g = autograd.grad([Loss(Train)], [.. w]);
            using (no_grad())
            {
                for (var i = 0; i < w.Count; i++)
                    w[i].copy_(start[i] - 0.2 * (0.9 * Weights.State(i, 0) + g[i] + 0.01 * start[i]));
            }

            var loss = Loss(Valid).item<double>();
            using (no_grad())
            {
                for (var i = 0; i < w.Count; i++)
                    w[i].copy_(start[i]);
            }

            return loss;
        }

        public void Dispose()
        {
            Weights.Dispose();
            Alphas.Dispose();
            scope.Dispose();
        }

        private Tensor Loss(Batch batch)
        {
            darts.Supernet.Module.Training = true;
            return (darts.Supernet.Forward(batch.Inputs)[0] - batch.Label).square().mean();
        }

        private static Batch Kept(Batch batch) => batch with
        {
            Inputs = batch.Inputs.ToDictionary(i => i.Key, i => i.Value.clone().DetachFromDisposeScope()),
            Label = batch.Label.clone().DetachFromDisposeScope(),
        };
    }
}
