using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Random;

/// <summary>Rows without any spread, whose results are certain, and the moments of those with one.</summary>
[TestClass]
public sealed class RandomTests
{
    // ONNX Runtime ends the process on a deviation of 0.
    private const string NoSpread = "ONNX Runtime wants a spread";
    private const string NoGradient = "no gradient passes";

    public static IEnumerable<OperatorCase> Rows =>
    [
        new("no spread", 7, "RandomNormal") { Attributes = [Attr.Of("shape", [2L, 3]), Attr.Of("mean", 2f), Attr.Of("scale", 0f)], NoOracle = NoSpread },
        new("no spread", 22, "RandomUniform") { Attributes = [Attr.Of("shape", [2L, 3]), Attr.Of("low", 3f), Attr.Of("high", 3f), Attr.Of("dtype", 11)], NoOracle = NoSpread },
        new("no spread", 7, "RandomNormalLike", Normal(1, 2, 3)) { Attributes = [Attr.Of("mean", 2f), Attr.Of("scale", 0f)], NoOracle = NoSpread },
        new("no spread", 22, "RandomUniformLike", Int64s(1, 0, 2, 2, 3)) { Attributes = [Attr.Of("low", 3f), Attr.Of("high", 3f), Attr.Of("dtype", 1)], NoOracle = NoSpread },
        new("an integer type", 7, "RandomNormal") { Attributes = [Attr.Of("shape", [2L]), Attr.Of("dtype", 7)], Refusal = "dtype" },
        new("certain ones", 15, "Bernoulli", TensorData.Vector(0f, 1f, 1f, 0f)) { NoGradients = NoGradient, NoOracle = "ONNX Runtime draws 0 with the probability given" },
        new("as bools", 22, "Bernoulli", TensorData.Vector(0f, 1f)) { Attributes = [Attr.Of("dtype", 9)], NoGradients = NoGradient, NoOracle = "ONNX's own cases are of the older version" },
        new("a certain class", 7, "Multinomial", TensorData.Create<float>([2, 3], [-200, 0, -200, 0, -200, -200])) { Attributes = [Attr.Of("sample_size", 4)], NoGradients = NoGradient },
        new("not finite", 7, "Multinomial", TensorData.Create<float>([1, 2], [float.NaN, 0])) { Refusal = "finite" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    [DataRow("RandomNormal", "mean", 2f, "scale", 3f, 2, 3)]
    [DataRow("RandomUniform", "low", -1f, "high", 5f, 2, 1.7320508)]
    public void Moments_are_those_of_the_distribution(string op, string first, float a, string second, float b, double mean, double deviation)
    {
        var row = new OperatorCase("", 22, op) { Attributes = [Attr.Of("shape", [20000L]), Attr.Of(first, a), Attr.Of(second, b)] };
        var numbers = OperatorHarness.Run(row)[0].ToDoubles();

        // Six standard errors.
        Assert.AreEqual(mean, numbers.Average(), 6 * deviation / Math.Sqrt(numbers.Length));
        Assert.AreEqual(deviation, Math.Sqrt(numbers.Average(n => (n - mean) * (n - mean))), 6 * deviation / Math.Sqrt(numbers.Length));
    }
}
