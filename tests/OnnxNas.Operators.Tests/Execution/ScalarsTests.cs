using OnnxNas.Operators.Execution;
using OnnxNas.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class ScalarsTests
{
    [TestMethod]
    public void No_operator_makes_a_temporary_number() =>
        Assert.AreEqual("", string.Join('\n', TemporaryScalars.In(typeof(OperatorRegistry).Assembly)));

    [TestMethod]
    public void The_check_of_operators_makes_none_either() =>
        Assert.AreEqual("", string.Join('\n', TemporaryScalars.In(typeof(OperatorHarness).Assembly)));

    [TestMethod]
    public void The_look_for_temporary_numbers_finds_open_and_hidden_ones_and_optimizers()
    {
        var found = TemporaryScalars.In(typeof(ScalarsTests).Assembly).Where(f => f.Contains(nameof(Offenders), StringComparison.Ordinal)).ToList();
        foreach (var offence in new[] { "Conversion(Tensor) calls TorchSharp.Scalar::op_Implicit", "Sum(Tensor) calls ", "Lambda", "Root(Tensor) calls ", "Read(Tensor) calls ", "Step(Optimizer) calls " })
            Assert.ContainsSingle(f => f.Contains(offence, StringComparison.Ordinal), found, $"{offence}:\n{string.Join('\n', found)}");
        Assert.HasCount(6, found);
    }

    [TestMethod]
    public void Kept_numbers_are_the_same_object_and_keep_their_sign_and_kind()
    {
        Assert.AreSame(Scalars.Of(0.3), Scalars.Of(0.3));
        Assert.AreSame(Scalars.One, Scalars.Of(1L));
        using var scope = NewDisposeScope();
        var x = ones(1, ScalarType.Int32);
        Assert.AreEqual(ScalarType.Int32, x.Times(3L).dtype);
        Assert.AreEqual(ScalarType.Float32, x.Times(3.0).dtype);
        Assert.AreEqual(double.PositiveInfinity, ones(1).DividedBy(0).item<float>());
        Assert.AreEqual(double.NegativeInfinity, (ones(1) / Scalars.Of(-0.0)).item<float>());
        Assert.AreEqual(double.PositiveInfinity, (ones(1) / Scalars.Of(0.0)).item<float>());
    }

    [TestMethod]
    public void Arithmetic_computes_what_the_operators_of_tensors_do()
    {
        using var scope = NewDisposeScope();
        Tensor a = tensor([1L, -2, 3]), b = tensor([10L, 20, 30]);
        CollectionAssert.AreEqual((long[])[11, 18, 33], a.Plus(b).ToInt64s());
        CollectionAssert.AreEqual((long[])[5, 2, 7], a.Plus(4).ToInt64s());
        CollectionAssert.AreEqual((long[])[-3, -6, -1], a.Minus(4).ToInt64s());
        CollectionAssert.AreEqual((long[])[1, 4, 9], a.Square().ToInt64s());
        CollectionAssert.AreEqual((long[])[0, 1, 2, 3], TensorArithmetic.Arange(4, CPU).ToInt64s());
        Assert.AreEqual(0, TensorArithmetic.Arange(0, CPU).numel());
    }

    // Never run: read by the test above.
    private static class Offenders
    {
        public static Tensor Conversion(Tensor x) => x.mul(0.5);

        public static Tensor Sum(Tensor x) => x + x;

        public static Func<Tensor, Tensor> Lambda() => x => x.pow(2);

        public static Tensor Root(Tensor x) => nn.functional.elu(x, 1);

        public static long Read(Tensor x) => x.ToInt64();

        public static void Step(optim.Optimizer optimizer) => optimizer.step();
    }
}
