using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class ParityTests
{
    [TestMethod]
    [DataRow(0.0, 0.99e-4, true)]
    [DataRow(0.0, 1.01e-4, false)]
    [DataRow(9.0, 0.99e-3, true)]
    [DataRow(9.0, 1.01e-3, false)]
    [DataRow(-9.0, -1.01e-3, false)]
    public void The_gate_is_one_ten_thousandth_of_one_plus_the_expected(double expected, double difference, bool passes)
    {
        var result = Parity.Compare(TensorData.Vector(expected + difference), TensorData.Vector(expected));
        Assert.AreEqual(passes, result.Passed);
        Assert.AreEqual(Math.Abs(difference), result.MaxAbsDiff, 1e-12);
    }

    [TestMethod]
    public void The_tolerance_follows_the_second_tensor()
    {
        Assert.IsTrue(Parity.Compare(TensorData.Vector(1.0), TensorData.Vector(2.0), 0, 0.5).Passed);
        Assert.IsFalse(Parity.Compare(TensorData.Vector(2.0), TensorData.Vector(1.0), 0, 0.5).Passed);
    }

    [TestMethod]
    public void NaN_and_infinity_agree_with_themselves_only()
    {
        double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1];
        foreach (var a in special)
        {
            foreach (var b in special)
            {
                var result = Parity.Compare(TensorData.Vector((float)a, 1), TensorData.Vector((float)b, 1));
                Assert.AreEqual(a.Equals(b), result.Passed, $"{a} and {b}");
                Assert.AreEqual(a.Equals(b) ? 0 : double.PositiveInfinity, result.MaxAbsDiff, $"{a} and {b}");
            }
        }

        Assert.IsTrue(Parity.Compare(TensorData.Vector(double.PositiveInfinity), TensorData.Vector(double.PositiveInfinity), 0, 0).Passed);
    }

    [TestMethod]
    public void The_worst_element_is_named_with_both_values()
    {
        var a = TensorData.Create<float>([2, 2, 2], [0, 0, 1000.05f, 0, 0, 0.5f, 0, 0]);
        var b = TensorData.Create<float>([2, 2, 2], [0, 0, 1000f, 0, 0, 0.25f, 0, 0]);
        var result = Parity.Compare(a, b);
        Assert.IsFalse(result.Passed);
        Assert.AreEqual(0.25, result.MaxAbsDiff);
        StringAssert.Contains(result.Message, "[1,0,1]: got 0.5, expected 0.25");
        // Within its tolerance of 0.1, a large difference at a large value is not the worst.
        result = Parity.Compare(a, b, 0.2, 1e-3);
        StringAssert.Contains(result.Message, "[1,0,1]");
    }

    [TestMethod]
    public void Another_shape_or_type_fails()
    {
        var result = Parity.Compare(TensorData.Create<float>([2, 1], [1, 2]), TensorData.Vector(1f, 2));
        Assert.AreEqual((false, double.PositiveInfinity, "got Float32[2,1], expected Float32[2]"), (result.Passed, result.MaxAbsDiff, result.Message));
        Assert.IsFalse(Parity.Compare(TensorData.Vector(1.0), TensorData.Vector(1f)).Passed);
    }

    [TestMethod]
    public void Integers_are_exact_however_large()
    {
        Assert.IsTrue(Parity.Compare(TensorData.Vector(long.MaxValue), TensorData.Vector(long.MaxValue)).Passed);
        var result = Parity.Compare(TensorData.Vector(long.MaxValue), TensorData.Vector(long.MaxValue - 1));
        Assert.IsFalse(result.Passed);
        Assert.AreEqual(1, result.MaxAbsDiff);
        Assert.IsFalse(Parity.Compare(TensorData.Vector(ulong.MaxValue), TensorData.Vector(ulong.MaxValue - 1)).Passed);
        Assert.AreEqual(18446744073709551615.0, Parity.Compare(TensorData.Vector(long.MinValue), TensorData.Vector(long.MaxValue)).MaxAbsDiff);
        Assert.IsTrue(Parity.Compare(TensorData.Vector<byte>(7), TensorData.Vector<byte>(8), absolute: 1).Passed);
        Assert.IsFalse(Parity.Compare(TensorData.Vector(true), TensorData.Vector(false)).Passed);
    }

    [TestMethod]
    public void Halves_brain_floats_and_complex_numbers_are_compared_by_value()
    {
        Assert.IsTrue(Parity.Compare(TensorData.Vector((Half)1), TensorData.Vector((Half)1)).Passed);
        Assert.AreEqual(0.5, Parity.Compare(TensorData.Vector((Half)1.5), TensorData.Vector((Half)1)).MaxAbsDiff);
        Assert.AreEqual(1, Parity.Compare(Raw<ushort>(ElementType.BFloat16, 0x4000), Raw<ushort>(ElementType.BFloat16, 0x3F80)).MaxAbsDiff);
        Assert.AreEqual(5, Parity.Compare(Raw(ElementType.Complex64, 4f, 5f), Raw(ElementType.Complex64, 1f, 1f)).MaxAbsDiff);
        Assert.AreEqual(5, Parity.Compare(Raw(ElementType.Complex128, 4.0, 5.0), Raw(ElementType.Complex128, 1.0, 1.0)).MaxAbsDiff);
        Assert.IsTrue(Parity.Compare(Raw(ElementType.Complex128, double.NaN, 5.0), Raw(ElementType.Complex128, double.NaN, 5.0)).Passed);
    }

    [TestMethod]
    public void Types_without_arithmetic_agree_byte_by_byte()
    {
        Assert.IsTrue(Parity.Compare(Raw<byte>(ElementType.Float8E5M2, 1, 2), Raw<byte>(ElementType.Float8E5M2, 1, 2)).Passed);
        StringAssert.Contains(Parity.Compare(Raw<byte>(ElementType.Float8E5M2, 1, 2), Raw<byte>(ElementType.Float8E5M2, 1, 3)).Message, "byte 1");
        Assert.IsFalse(Parity.Compare(TensorData.FromStrings([1], ["a"u8.ToArray()]), TensorData.FromStrings([1], ["b"u8.ToArray()])).Passed);
    }

    [TestMethod]
    public void Nothing_agrees_with_nothing() => Assert.IsTrue(Parity.Compare(TensorData.Vector<float>(), TensorData.Vector<float>()).Passed);

    private static TensorData Raw<T>(ElementType type, params T[] parts) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(parts.AsSpan()).ToArray();
        return TensorData.FromBytes(type, [bytes.Length * 8 / type.BitWidth()], bytes);
    }
}
