using OnnxNas.Operators.Execution;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

/// <summary>The second-order gradient against the numerical derivative of F(α) = L_val(w'(α), α), in float64; every mutant fails the check that the step passes.</summary>
[TestClass]
public sealed class UnrolledStepTests
{
    private const double Rate = 0.3;
    private const double Momentum = 0.9;
    private const double Decay = 0.05;

    [TestMethod]
    public void The_gradient_is_the_numerical_derivative_through_the_step_of_the_weights()
    {
        using var problem = new Problem(isQuadratic: false);
        Assert.IsLessThan(1e-4, problem.ErrorOf(problem.Step()));
    }

    [TestMethod]
    public void Where_the_training_loss_is_quadratic_in_the_weights_the_gradient_is_exact()
    {
        using var problem = new Problem(isQuadratic: true);
        Assert.IsLessThan(1e-8, problem.ErrorOf(problem.Step()));
    }

    [TestMethod]
    [DataRow(Fault.None)]
    [DataRow(Fault.NoVirtualStep), DataRow(Fault.DifferenceAtTheVirtualWeights), DataRow(Fault.AlphaAmongTheWeights), DataRow(Fault.TimesEpsilon)]
    [DataRow(Fault.NoMomentum), DataRow(Fault.NoDecay), DataRow(Fault.FirstOrder), DataRow(Fault.WrongSign)]
    public void Mutants_fail_the_check(Fault fault)
    {
        using var problem = new Problem(isQuadratic: false);
        var error = problem.ErrorOf(problem.Mutant(fault));
        if (fault == Fault.None)
            Assert.IsLessThan(1e-4, error, "A mutant without a fault must pass, or the others prove nothing.");
        else
            Assert.IsGreaterThan(1e-3, error, $"{fault}");
    }

    [TestMethod]
    public void Without_a_learning_rate_it_is_the_first_order()
    {
        using var problem = new Problem(isQuadratic: false);
        problem.Optimizer.LearningRate = 0;
        var expected = GradientStep.Of(problem.Valid(), problem.Alphas).Select(g => g!.ToTensorData().ToDoubles()).ToList();
        var actual = problem.Step();
        for (var i = 0; i < expected.Count; i++)
            CollectionAssert.AreEqual(expected[i], actual[i]!.ToTensorData().ToDoubles());
    }

    [TestMethod]
    public void Weights_and_momentum_come_back_bit_for_bit_even_when_a_loss_fails()
    {
        using var problem = new Problem(isQuadratic: false);
        var before = problem.Bits();
        problem.Step();
        CollectionAssert.AreEqual(before, problem.Bits());
        var unrolled = new UnrolledStep(problem.Alphas, problem.Optimizer);
        Assert.ThrowsExactly<InvalidOperationException>(() => unrolled.Gradient(problem.Train, () => throw new InvalidOperationException()));
        CollectionAssert.AreEqual(before, problem.Bits());
    }

    public enum Fault
    {
        None,
        NoVirtualStep,
        DifferenceAtTheVirtualWeights,
        AlphaAmongTheWeights,
        TimesEpsilon,
        NoMomentum,
        NoDecay,
        FirstOrder,
        WrongSign,
    }

    // Two weights and one α, with a momentum from two steps before.
    private sealed class Problem : IDisposable
    {
        private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
        private readonly bool isQuadratic;
        private readonly Tensor x;
        private readonly Tensor y;

        public Problem(bool isQuadratic)
        {
            this.isQuadratic = isQuadratic;
            Tensor Numbers(int seed, params long[] shape)
            {
                var random = new Random(seed);
                return tensor(Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(_ => random.NextDouble() * 2 - 1).ToArray()).reshape(shape);
            }

            (x, y) = (Numbers(1, 6, 3), Numbers(2, 6, 1));
            Alphas = [new Parameter(Numbers(3, 2))];
            Weights = [new Parameter(Numbers(4, 3, 1)), new Parameter(Numbers(5, 3, 1))];
            Optimizer = new(Weights, Rate, Momentum, Decay);
            for (var i = 0; i < 2; i++)
                Optimizer.Step(GradientStep.Of(Train(), Weights));
        }

        public Parameter[] Alphas { get; }

        public Parameter[] Weights { get; }

        public SgdOptimizer Optimizer { get; }

        public Tensor Train() => Loss(0, 3);

        public Tensor Valid() => Loss(3, 3);

        public Tensor?[] Step() => new UnrolledStep(Alphas, Optimizer).Gradient(Train, Valid);

        public byte[] Bits() => [.. Weights.Cast<Tensor>().Concat(Weights.Select((_, i) => Optimizer.State(i, 0))).SelectMany(t => t.ToTensorData().Bytes.ToArray())];

        /// <summary>The largest deviation from the central difference of F, relative to the largest derivative.</summary>
        public double ErrorOf(Tensor?[] gradient)
        {
            const double h = 1e-5;
            var alpha = Alphas[0];
            var start = alpha.ToTensorData().ToDoubles();
            var numerical = new double[start.Length];
            for (var k = 0; k < start.Length; k++)
            {
                double At(double shift)
                {
                    using (no_grad())
                        alpha.copy_(tensor(start.Select((a, j) => j == k ? a + shift : a).ToArray()));
                    return AfterAStep();
                }

                numerical[k] = (At(h) - At(-h)) / (2 * h);
                At(0);
            }

            var actual = gradient[0]!.ToTensorData().ToDoubles();
            return numerical.Zip(actual).Max(p => Math.Abs(p.First - p.Second)) / numerical.Max(Math.Abs);
        }

        /// <summary>The same gradient written down again, with one thing wrong.</summary>
        public Tensor?[] Mutant(Fault fault)
        {
            Tensor[] w = fault == Fault.AlphaAmongTheWeights ? [.. Weights, .. Alphas] : [.. Weights];
            var start = w.Select(p => p.detach().clone()).ToArray();
            void Set(Func<int, Tensor> values)
            {
                using var off = no_grad();
                for (var i = 0; i < w.Length; i++)
                    w[i].copy_(values(i));
            }

            var g = autograd.grad([Train()], w);
            Tensor Direction(int i) => g[i]
                + (fault == Fault.NoDecay || i >= Weights.Length ? 0 : Decay) * start[i]
                + (fault == Fault.NoMomentum || i >= Weights.Length ? zeros_like(g[i]) : Momentum * Optimizer.State(i, 0));
            var ahead = start.Select((s, i) => fault == Fault.NoVirtualStep ? s : s - Rate * Direction(i)).ToArray();
            Set(i => ahead[i]);
            var direct = autograd.grad([Valid()], [.. Alphas])[0];
            var v = autograd.grad([Valid()], w);
            var epsilon = 0.01 / Math.Sqrt(v.Sum(d => d.square().sum().item<double>()));
            var at = fault == Fault.DifferenceAtTheVirtualWeights ? ahead : start;
            Set(i => at[i] + epsilon * v[i]);
            var plus = autograd.grad([Train()], [.. Alphas])[0];
            Set(i => at[i] - epsilon * v[i]);
            var minus = autograd.grad([Train()], [.. Alphas])[0];
            Set(i => start[i]);
            var product = fault switch
            {
                Fault.TimesEpsilon => (plus - minus) / 2 * epsilon,
                Fault.FirstOrder => zeros_like(plus),
                Fault.WrongSign => (minus - plus) / (2 * epsilon),
                _ => (plus - minus) / (2 * epsilon),
            };
            return [direct - Rate * product];
        }

        public void Dispose()
        {
            Optimizer.Dispose();
            scope.Dispose();
        }

        // F(α): the step of the weights by the definition, the weights put back.
        private double AfterAStep()
        {
            using var inner = NewDisposeScope();
            var start = Weights.Select(w => w.detach().clone()).ToArray();
            var g = autograd.grad([Train()], [.. Weights]);
            using (no_grad())
            {
                for (var i = 0; i < Weights.Length; i++)
                    Weights[i].copy_(start[i] - Rate * (Momentum * Optimizer.State(i, 0) + g[i] + Decay * start[i]));
            }

            var loss = Valid().item<double>();
            using (no_grad())
            {
                for (var i = 0; i < Weights.Length; i++)
                    Weights[i].copy_(start[i]);
            }

            return loss;
        }

        // Quadratic in the weights for every α, or bent by tanh.
        private Tensor Loss(long from, long count)
        {
            var p = Alphas[0].softmax(0).unbind(0);
            var rows = x.narrow(0, from, count);
            var (a, b) = (rows.matmul(Weights[0]), rows.matmul(Weights[1]));
            var mixed = isQuadratic ? p[0] * a + p[1] * b : (p[0] * (2 * a).tanh() + p[1] * (a * b).sin());
            return (mixed - y.narrow(0, from, count)).square().mean() + (isQuadratic ? 0 : 0.1) * (Alphas[0] * Alphas[0]).sum();
        }
    }
}
