using System.Runtime.InteropServices;
using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class ElementConversionTests
{
    [TestMethod]
    public void Bytes_become_floats_unscaled() =>
        CollectionAssert.AreEqual(new float[] { 0, 1, 255 }, Converted<byte, float>([0, 1, 255]));

    [TestMethod]
    public void Doubles_round_to_floats() =>
        CollectionAssert.AreEqual(new[] { 0.1f, -3, float.NaN, float.PositiveInfinity }, Converted<double, float>([0.1, -3, double.NaN, double.PositiveInfinity]));

    [TestMethod]
    public void A_double_out_of_range_is_found() => Assert.AreEqual(1, FirstMisfit<double, float>([1, 1e300]));

    [TestMethod]
    public void Integers_widen_and_narrow_while_the_value_stays()
    {
        CollectionAssert.AreEqual(new long[] { -5, 7 }, Converted<int, long>([-5, 7]));
        CollectionAssert.AreEqual(new[] { -5, 7 }, Converted<long, int>([-5, 7]));
        Assert.AreEqual(2, FirstMisfit<long, int>([0, int.MaxValue, int.MaxValue + 1L]));
        Assert.AreEqual(0, FirstMisfit<sbyte, byte>([-1]));
        Assert.AreEqual(0, FirstMisfit<ulong, long>([ulong.MaxValue]));
        Assert.AreEqual(0, FirstMisfit<long, ulong>([-1]));
    }

    [TestMethod]
    public void Floats_become_integers_only_where_they_are_whole()
    {
        CollectionAssert.AreEqual(new long[] { 3, -4 }, Converted<double, long>([3, -4]));
        Assert.AreEqual(1, FirstMisfit<float, long>([3, 2.5f]));
        Assert.AreEqual(0, FirstMisfit<float, long>([float.NaN]));
        Assert.AreEqual(0, FirstMisfit<double, long>([9.2233720368547758e18]));
        Assert.AreEqual(0, FirstMisfit<float, int>([float.PositiveInfinity]));
    }

    [TestMethod]
    public void Only_0_and_1_become_bools()
    {
        CollectionAssert.AreEqual(new[] { true, false }, Converted<int, bool>([1, 0]));
        Assert.AreEqual(1, FirstMisfit<int, bool>([1, 2]));
    }

    [TestMethod]
    public void Brain_floats_round_half_to_even()
    {
        // 1 + 2^-8 lies half way between 1 and 1 + 2^-7; 1 + 3·2^-8 between 1 + 2^-7 and 1 + 2^-6.
        float[] values = [1, 1 + 1f / 256, 1 + 3f / 256, -0.1f, float.NaN];
        var bits = new byte[2 * values.Length];
        Assert.AreEqual(-1, ElementConversion.Convert(ElementType.Float32, MemoryMarshal.AsBytes<float>(values), ElementType.BFloat16, bits));
        CollectionAssert.AreEqual(new ushort[] { 0x3F80, 0x3F80, 0x3F82, 0xBDCD, 0x7FC0 }, MemoryMarshal.Cast<byte, ushort>(bits).ToArray());
        Assert.AreEqual(0, ElementConversion.Convert(ElementType.Float32, MemoryMarshal.AsBytes<float>([float.MaxValue]), ElementType.BFloat16, bits));
    }

    [TestMethod]
    public void Fractions_are_not_meant_for_integers()
    {
        Assert.IsTrue(ElementConversion.IsUsual(ElementType.UInt8, ElementType.Float32));
        Assert.IsTrue(ElementConversion.IsUsual(ElementType.Float64, ElementType.BFloat16));
        Assert.IsTrue(ElementConversion.IsUsual(ElementType.Int32, ElementType.Int64));
        Assert.IsFalse(ElementConversion.IsUsual(ElementType.Float32, ElementType.Int64));
        Assert.IsFalse(ElementConversion.IsUsual(ElementType.Float32, ElementType.Complex64));
        Assert.IsFalse(ElementConversion.IsUsual(ElementType.Complex64, ElementType.Float32));
    }

    private static TTo[] Converted<T, TTo>(T[] values) where T : unmanaged where TTo : unmanaged
    {
        var target = new TTo[values.Length];
        Assert.AreEqual(-1, Convert<T, TTo>(values, target));
        return target;
    }

    private static int FirstMisfit<T, TTo>(T[] values) where T : unmanaged where TTo : unmanaged => Convert<T, TTo>(values, new TTo[values.Length]);

    private static int Convert<T, TTo>(T[] values, TTo[] target) where T : unmanaged where TTo : unmanaged =>
        ElementConversion.Convert(ElementTypes.Of<T>(), MemoryMarshal.AsBytes<T>(values), ElementTypes.Of<TTo>(), MemoryMarshal.AsBytes(target.AsSpan()));
}
