using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class DatasetTests
{
    [TestMethod]
    public void A_batch_is_the_rows_asked_for_in_that_order()
    {
        var data = Numbers(5);
        var x = data.Batch("x", [3, 0, 3], ElementType.Float32);
        CollectionAssert.AreEqual(new long[] { 3, 2 }, x.Dims.ToArray());
        CollectionAssert.AreEqual(new float[] { 30, 31, 0, 1, 30, 31 }, x.AsSpan<float>().ToArray());
        CollectionAssert.AreEqual(new long[] { 3, 0, 3 }, data.Labels([3, 0, 3], ElementType.Int64).AsSpan<long>().ToArray());
        Assert.AreEqual(ElementType.Float32, data.Labels([1], ElementType.Float32).Type);
        Assert.AreEqual("Float32[0,2]", data.Batch("x", [], ElementType.Float32).ToString());
    }

    [TestMethod]
    public void Elements_become_the_type_the_model_wants()
    {
        var data = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<double>([2, 1], [0.5, 1e300]) }, TensorData.Vector<byte>(0, 1));
        Assert.AreEqual(0.5f, data.Batch("x", [0], ElementType.Float32).AsSpan<float>()[0]);
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => data.Batch("x", [0, 1], ElementType.Float32)).Message, "array 'x' of type Float64 holds a value at [1,0] that Float32 cannot hold");
    }

    [TestMethod]
    public void A_subset_of_a_subset_and_a_union_keep_to_their_rows()
    {
        var data = Numbers(6);
        var odd = data.Subset([1, 3, 5]);
        var last = odd.Subset([2]);
        Assert.AreEqual(1, last.Count);
        CollectionAssert.AreEqual(new long[] { 5 }, Classes(last));
        CollectionAssert.AreEqual(new long[] { 1, 3, 5, 5 }, Classes(odd.Concat(last)));
        CollectionAssert.AreEqual(new long[] { 5, 0, 1, 2 }, Classes(last.Concat(Numbers(3))));
        CollectionAssert.AreEqual(new float[] { 50, 51, 20, 21 }, last.Concat(Numbers(3)).Batch("x", [0, 3], ElementType.Float32).AsSpan<float>().ToArray());
    }

    [TestMethod]
    public void Only_samples_alike_are_joined()
    {
        var other = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([1, 3], [1, 2, 3]) }, TensorData.Vector(0L));
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => Numbers(2).Concat(other)).Message, "[3]");
    }

    [TestMethod]
    public void Lengths_must_agree_and_be_more_than_zero()
    {
        var x = new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([2, 1], [1, 2]) };
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => Dataset.FromTensors(x, TensorData.Vector(1L, 2, 3))).Message, "array 'x' holds 2 samples, the array 'label' 3");
        x["x"] = TensorData.Create<float>([0, 1], []);
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => Dataset.FromTensors(x, TensorData.Vector<long>())).Message, "no samples");
    }

    [TestMethod]
    public void A_batch_past_2_GB_is_refused()
    {
        var data = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<byte>([1, 1 << 20], new byte[1 << 20]) }, TensorData.Vector(0L));
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => data.Batch("x", new int[600], ElementType.Float32)).Message, "smaller batch");
    }

    [TestMethod]
    public void An_input_without_data_is_named() =>
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => Numbers(2).Batch("z", [0], ElementType.Float32)).Message, "input 'z'; there is for 'x'");

    internal static long[] Classes(Dataset data) => data.Labels([.. Enumerable.Range(0, data.Count)], ElementType.Int64).ToInt64s();

    // Sample i is (10·i, 10·i + 1) with label i.
    private static Dataset Numbers(int count) => Dataset.FromTensors(
        new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([count, 2], Enumerable.Range(0, count).SelectMany(i => new float[] { 10 * i, 10 * i + 1 }).ToArray()) },
        TensorData.Vector(Enumerable.Range(0, count).Select(i => (long)i).ToArray()));
}
