using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

/// <summary>Our optimizers against libtorch's, and against the formula by hand.</summary>
[TestClass]
public sealed class OptimizerTests
{
    [TestMethod]
    [DataRow(0.0, 0.0), DataRow(0.9, 0.0), DataRow(0.0, 0.1), DataRow(0.9, 3e-4)]
    public void Sgd_walks_as_libtorch_does(double momentum, double weightDecay) =>
        AssertSameWalk(w => new SgdOptimizer(w, 0.05, momentum, weightDecay), w => optim.SGD(w, 0.05, momentum, weight_decay: weightDecay));

    [TestMethod]
    [DataRow(0.9, 0.999, 0.0), DataRow(0.5, 0.999, 1e-3)]
    public void Adam_walks_as_libtorch_does(double beta1, double beta2, double weightDecay) =>
        AssertSameWalk(w => new AdamOptimizer(w, 0.05, beta1, beta2, weightDecay), w => optim.Adam(w, 0.05, beta1, beta2, weight_decay: weightDecay));

    [TestMethod]
    public void The_walks_can_be_told_apart() =>
        Assert.ThrowsExactly<AssertFailedException>(() =>
            AssertSameWalk(w => new SgdOptimizer(w, 0.05, 0.9), w => optim.Adam(w, 0.05, 0.9, 0.999)));

    [TestMethod]
    public void A_learning_rate_counts_from_the_next_step()
    {
        using var scope = NewDisposeScope();
        var w = new Parameter(tensor(new double[] { 1 }));
        using var sgd = new SgdOptimizer([w], 0.5);
        sgd.Step([tensor(new double[] { 1 })]);
        sgd.LearningRate = 0.25;
        sgd.Step([tensor(new double[] { 1 })]);
        Assert.AreEqual(0.25, w.item<double>());
    }

    [TestMethod]
    public void Decay_of_matrices_leaves_norms_and_biases_alone()
    {
        using var scope = NewDisposeScope();
        var (matrix, vector) = (new Parameter(ones(2, 2)), new Parameter(ones(2)));
        using var sgd = new SearchOptions { Decay = "matrices", WeightDecay = 0.5, Momentum = 0, Lr = 1 }.NewWeightOptimizer([matrix, vector]);
        sgd.Step([zeros(2, 2), zeros(2)]);
        Assert.AreEqual(0.5f, matrix[0, 0].item<float>());
        Assert.AreEqual(1f, vector[0].item<float>());
    }

    [TestMethod]
    // Weights of MatMul, Gemm and convolutions, of 1x1 and depthwise ones too; an embedding; weights of an LSTM.
    [DataRow(true, 3, 4), DataRow(true, 1, 4), DataRow(true, 4, 1), DataRow(true, 1, 1), DataRow(true, 2, 3, 4), DataRow(true, 1, 3, 4), DataRow(true, 3, 4, 1)]
    [DataRow(true, 8, 4, 3, 3), DataRow(true, 8, 4, 1, 1), DataRow(true, 8, 1, 3, 3), DataRow(true, 8, 1, 1, 1), DataRow(true, 1, 4, 3, 3), DataRow(true, 8, 1, 1, 1, 1)]
    // Biases, scales and slopes that are broadcast: along channels, or the last axis.
    [DataRow(false), DataRow(false, 1), DataRow(false, 4), DataRow(false, 4, 1, 1), DataRow(false, 1, 4, 1), DataRow(false, 1, 1, 4)]
    [DataRow(false, 1, 4, 1, 1), DataRow(false, 1, 1, 1, 4), DataRow(false, 1, 1, 1), DataRow(false, 1, 1, 1, 1), DataRow(false, 1, 4, 1, 1, 1)]
    public void Decay_of_matrices_goes_by_the_shape(bool isDecayed, params int[] shape)
    {
        using var scope = NewDisposeScope();
        long[] dims = [.. shape];
        var weight = new Parameter(ones(dims));
        using var sgd = new SearchOptions { Decay = "matrices", WeightDecay = 0.5, Momentum = 0, Lr = 1 }.NewWeightOptimizer([weight]);
        sgd.Step([zeros(dims)]);
        Assert.AreEqual(isDecayed ? 0.5f : 1f, weight.flatten()[0].item<float>());
    }

    [TestMethod]
    public void A_parameter_without_a_gradient_takes_no_step_and_its_moments_stay()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (new Parameter(ones(2)), new Parameter(ones(2)));
        using var adam = new AdamOptimizer([a, b], 0.1, weightDecay: 0.1);
        adam.Step([ones(2), ones(2)]);
        var before = b[0].item<float>();
        adam.Step([ones(2), null]);
        Assert.AreEqual(before, b[0].item<float>());
        CollectionAssert.AreEqual((long[])[2, 1], adam.Steps);
    }

    [TestMethod]
    public void A_resumed_optimizer_goes_on_with_the_moments_of_each_parameter()
    {
        CollectionAssert.AreEqual(Walk(stop: null, order: [0, 1]), Walk(stop: 3, order: [0, 1]));
        // The mutant that hands parameters over as a set does, in another order in another process: the shapes are the same, so nothing refuses.
        CollectionAssert.AreNotEqual(Walk(stop: null, order: [0, 1]), Walk(stop: 3, order: [1, 0]));

        static double[] Walk(int? stop, int[] order)
        {
            using var scope = NewDisposeScope();
            Parameter[] w = [new(tensor(new[] { 1.0, -2 })), new(tensor(new[] { 3.0, 0.5 }))];
            var adam = new AdamOptimizer(w, 0.05, 0.5, 0.999, weightDecay: 1e-3);
            for (var step = 0; step < 8; step++)
            {
                if (step == stop)
                {
                    var state = new CheckpointState();
                    adam.Save(state);
                    adam.Dispose();
                    adam = new(order.Select(i => w[i]), 0.05, 0.5, 0.999, weightDecay: 1e-3);
                    adam.Restore(state);
                }

                adam.Step(GradientStep.Of((w[0] * w[0] * w[1]).sum() + (w[1] - 1).pow(2).sum(), adam.Parameters));
            }

            adam.Dispose();
            return [.. w.SelectMany(p => p.data<double>().ToArray())];
        }
    }

    [TestMethod]
    public void Another_number_of_gradients_is_refused()
    {
        using var scope = NewDisposeScope();
        using var sgd = new SgdOptimizer([new Parameter(ones(2))], 0.1);
        Assert.ThrowsExactly<ArgumentException>(() => sgd.Step([]));
    }

    // A quadratic in float64 whose curvature differs from axis to axis.
    private static void AssertSameWalk(Func<Parameter[], Optimizer> ours, Func<Parameter[], optim.Optimizer> theirs)
    {
        using var scope = NewDisposeScope();
        Parameter[] Start() => [new(tensor(new double[] { 1, -2, 3 })), new(tensor(new double[,] { { 0.5, -0.25 } }))];
        var (w, v) = (Start(), Start());
        using var mine = ours(w);
        using var torch = theirs(v);
        var curvature = tensor(new double[] { 1, 10, 0.1 });
        Tensor Loss(Parameter[] p) => (curvature * p[0] * p[0]).sum() + (p[1] - 1).pow(2).sum() * p[0][0];
        for (var step = 0; step < 10; step++)
        {
            mine.Step([.. autograd.grad([Loss(w)], [.. w])]);
            torch.zero_grad();
            Loss(v).backward();
            torch.step();
            for (var i = 0; i < w.Length; i++)
                Assert.IsLessThan(1e-12, (w[i] - v[i]).abs().max().item<double>(), $"step {step}, parameter {i}");
        }
    }
}
