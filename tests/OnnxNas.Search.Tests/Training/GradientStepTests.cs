using OnnxNas.Ir;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class GradientStepTests
{
    [TestMethod]
    public void The_norm_is_clipped_over_the_given_parameters_only()
    {
        using var scope = NewDisposeScope();
        var (w, alpha) = (new Parameter(tensor(new double[] { 0, 0 })), new Parameter(tensor(new double[] { 0 })));
        using var sgd = new SgdOptimizer([w], 1);
        // Gradients: w (3, 4) of norm 5, alpha 1000.
        GradientStep.Apply((w * tensor(new double[] { 3, 4 })).sum() + 1000 * alpha.sum(), sgd, 2.5, 1, "here");
        AssertClose([-1.5, -2], w);
        AssertClose([0], alpha);
    }

    [TestMethod]
    public void The_mutant_that_counts_alpha_in_the_norm_all_but_stops_the_weights()
    {
        using var scope = NewDisposeScope();
        var (w, alpha) = (new Parameter(tensor(new double[] { 0, 0 })), new Parameter(tensor(new double[] { 0 })));
        using var sgd = new SgdOptimizer([w, alpha], 1);
        GradientStep.Apply((w * tensor(new double[] { 3, 4 })).sum() + 1000 * alpha.sum(), sgd, 2.5, 1, "here");
        Assert.IsLessThan(0.02, Math.Abs(w[0].item<double>()));
    }

    [TestMethod]
    public void A_norm_within_the_limit_and_a_limit_of_zero_leave_the_gradient_alone()
    {
        foreach (var clip in new double[] { 0, 6 })
        {
            using var scope = NewDisposeScope();
            var w = new Parameter(tensor(new double[] { 0, 0 }));
            using var sgd = new SgdOptimizer([w], 1);
            GradientStep.Apply((w * tensor(new double[] { 3, 4 })).sum(), sgd, clip, 1, "here");
            AssertClose([-3, -4], w);
        }
    }

    [TestMethod]
    public void A_parameter_the_loss_does_not_depend_on_is_moved_by_neither_momentum_nor_weight_decay()
    {
        using var scope = NewDisposeScope();
        var (used, idle) = (new Parameter(tensor(new double[] { 1 })), new Parameter(tensor(new double[] { 1 })));
        using var sgd = new SgdOptimizer([used, idle], 0.1, 0.9, weightDecay: 0.5);
        GradientStep.Apply((used + idle).sum(), sgd, 0, 0.1, "here");
        var before = idle.item<double>();
        GradientStep.Apply(used.sum(), sgd, 0, 0.1, "here");
        Assert.AreEqual(before, idle.item<double>());
    }

    [TestMethod]
    public void The_mutant_of_zero_instead_of_null_gradients_moves_an_idle_parameter()
    {
        using var scope = NewDisposeScope();
        var idle = new Parameter(tensor(new double[] { 1 }));
        using var sgd = new SgdOptimizer([idle], 0.1, 0.9, weightDecay: 0.5);
        sgd.Step([zeros_like(idle)]);
        Assert.AreNotEqual(1, idle.item<double>());
    }

    [TestMethod]
    public void A_loss_that_depends_on_nothing_trained_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var w = new Parameter(tensor(new double[] { 1 }));
        using var sgd = new SgdOptimizer([w], 0.1, weightDecay: 0.5);
        using var none = new SgdOptimizer([], 0.1);
        Assert.AreEqual(7, GradientStep.Apply(tensor(7.0), sgd, 1, 0.1, "here"));
        Assert.AreEqual(7, GradientStep.Apply(tensor(7.0), none, 1, 0.1, "here"));
        AssertClose([1], w);
    }

    [TestMethod]
    [DataRow(double.NaN), DataRow(double.PositiveInfinity)]
    public void A_loss_that_is_not_finite_says_where_and_what_to_try_and_moves_nothing(double loss)
    {
        using var scope = NewDisposeScope();
        var w = new Parameter(tensor(new double[] { 1 }));
        using var sgd = new SgdOptimizer([w], 0.1);
        var message = Assert.ThrowsExactly<TrainingException>(() => GradientStep.Apply(w.sum() * loss, sgd, 1, 0.25, "epoch 2, step 3 of 4")).Message;
        Assert.Contains("epoch 2, step 3 of 4", message);
        Assert.Contains("--lr (now 0.25)", message);
        AssertClose([1], w);
    }

    [TestMethod]
    public void Clipping_scales_each_gradient_once_where_two_parameters_have_one_tensor_as_gradient()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (new Parameter(tensor(new double[] { 0 })), new Parameter(tensor(new double[] { 0 })));
        using var sgd = new SgdOptimizer([a, b], 1);
        // Gradients 3 and 3, norm sqrt(18).
        GradientStep.Apply(((a + b) * 3).sum(), sgd, Math.Sqrt(18) / 3, 1, "here");
        AssertClose([-1], a);
        AssertClose([-1], b);
    }

    private static void AssertClose(double[] expected, Tensor actual)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i].item<double>(), 1e-5);
    }
}
