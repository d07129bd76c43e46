using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Nn;

/// <summary>The float32 rows again with 16-bit numbers: the same within what these can hold.</summary>
[TestClass]
public sealed class SixteenBitTests
{
    public static IEnumerable<OperatorCase> Rows =>
        from row in new[]
        {
            ActivationTests.Rows, ActivationTests.WithBounds, ActivationTests.AlongAnAxis, ConvTests.Rows, ConvTests.Transposed, PoolTests.Max,
            PoolTests.Average, PoolTests.OtherPools, NormalizationTests.Batch, NormalizationTests.Others, DropoutTests.Rows, GemmTests.Rows,
        }.SelectMany(rows => rows)
        where row.Refusal is null && row.Inputs.All(i => i?.Type is null or ElementType.Float32)
        select row;

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Sixteen_bit_runs_are_close(OperatorCase row)
    {
        foreach (var (type, tolerance) in new[] { (ElementType.Float16, 1e-2), (ElementType.BFloat16, 8e-2) })
        {
            // The reference sees the rounded inputs too.
            var narrow = row with { Inputs = [.. row.Inputs.Select(i => i?.As(type))] };
            var rounded = row with { Inputs = [.. narrow.Inputs.Select(i => i?.As(ElementType.Float32))] };
            foreach (var (actual, expected) in OperatorHarness.Run(narrow).Zip(OperatorHarness.Run(rounded)))
            {
                var wide = expected.Type == ElementType.Float32 ? actual.As(ElementType.Float32) : actual;
                var result = Parity.Compare(wide, expected, tolerance, tolerance);
                Assert.IsTrue(result.Passed, $"{row} as {type}: {result.Message}");
            }
        }
    }
}
