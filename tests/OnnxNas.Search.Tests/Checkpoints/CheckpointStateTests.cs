using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Checkpoints;

[TestClass]
public sealed class CheckpointStateTests
{
    [TestMethod]
    public void What_is_put_in_comes_out_by_section_and_name()
    {
        using var scope = NewDisposeScope();
        var state = new CheckpointState();
        state.Put("text", "a \"quoted\" line\nand one more");
        state.Put("whole", long.MinValue);
        state.Section("a").Put("x", tensor(new float[] { 1, 2 }));
        state.Section("b").Put("x", tensor(new long[] { 3 }));
        state.Section("b").Section("deep").Put("numbers", (double[])[0.1, double.NaN, -0.0]);
        state = ThroughDisk(state);
        Assert.AreEqual("a \"quoted\" line\nand one more", state.GetString("text"));
        Assert.AreEqual(long.MinValue, state.GetInt64("whole"));
        var (a, b) = (zeros(2), zeros(1, ScalarType.Int64));
        state.Section("a").CopyInto("x", a);
        state.Section("b").CopyInto("x", b);
        CollectionAssert.AreEqual((float[])[1, 2], a.data<float>().ToArray());
        CollectionAssert.AreEqual((long[])[3], b.data<long>().ToArray());
        CollectionAssert.AreEqual((double[])[0.1, double.NaN, -0.0], state.Section("b").Section("deep").GetDoubles("numbers"));
        Assert.IsTrue(state.HasSection("a"));
        Assert.IsFalse(state.HasSection("text"));
        Assert.IsFalse(state.HasSection("c"));
    }

    [TestMethod]
    [DataRow(0.1), DataRow(-0.0), DataRow(double.Epsilon), DataRow(double.MaxValue), DataRow(1.0), DataRow(1e300), DataRow(double.NaN), DataRow(double.PositiveInfinity), DataRow(double.NegativeInfinity)]
    public void A_number_comes_back_bit_for_bit(double number)
    {
        var state = new CheckpointState();
        state.Put("x", number);
        Assert.AreEqual(BitConverter.DoubleToInt64Bits(number), BitConverter.DoubleToInt64Bits(ThroughDisk(state).GetDouble("x")));
    }

    [TestMethod]
    public void A_tensor_is_copied_when_it_is_put_in_and_keeps_bits_that_are_no_number()
    {
        using var scope = NewDisposeScope();
        var original = empty(2, ScalarType.Float32);
        byte[] bits = [0x45, 0x23, 0xA1, 0x7F, 1, 0, 0x80, 0xFF];
        bits.CopyTo(original.bytes);
        var state = new CheckpointState();
        state.Put("x", original);
        original.bytes.Clear();
        ThroughDisk(state).CopyInto("x", original);
        CollectionAssert.AreEqual(bits, original.bytes.ToArray());
    }

    [TestMethod]
    public void A_tensor_in_another_order_of_memory_is_filled_by_position()
    {
        using var scope = NewDisposeScope();
        var values = arange(24).reshape(1, 2, 3, 4);
        var state = new CheckpointState();
        state.Put("x", values.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2));
        var target = zeros([1, 3, 4, 2], ScalarType.Int64).permute(0, 3, 1, 2);
        ThroughDisk(state).CopyInto("x", target);
        Assert.IsTrue(values.Equals(target));
        Assert.IsFalse(target.is_contiguous());
    }

    [TestMethod]
    public void A_parameter_is_filled_and_stays_one()
    {
        using var scope = NewDisposeScope();
        var parameter = new TorchSharp.Modules.Parameter(zeros(2));
        var state = new CheckpointState();
        state.Put("x", tensor(new float[] { 1, 2 }));
        state.CopyInto("x", parameter);
        Assert.IsTrue(parameter.requires_grad && parameter.is_leaf);
        Assert.AreEqual(2f, parameter[1].item<float>());
    }

    [TestMethod]
    public void What_does_not_fit_says_what_is_needed_and_what_to_do()
    {
        using var scope = NewDisposeScope();
        var state = new CheckpointState();
        state.Section("weights").Put("w", zeros(3, 4));
        state.Put("x", 1.5);
        var weights = state.Section("weights");
        Says(() => weights.CopyInto("w", zeros(4, 3)), "'weights/w' is Float32[3,4], and Float32[4,3]");
        Says(() => weights.CopyInto("w", zeros([3, 4], ScalarType.Float64)), "Float64[3,4]");
        Says(() => weights.CopyInto("v", zeros(3, 4)), "no tensor 'weights/v'");
        Says(() => weights.GetDoubles("w"), "no numbers");
        Says(() => weights.GetDouble("w"), "no number");
        Says(() => state.GetInt64("x"), "no whole number 'x'");
        Says(() => state.GetString("x"), "no text 'x'");
        Says(() => state.GetDouble("weights"), "no number 'weights'");
    }

    [TestMethod]
    public void Nothing_is_put_in_twice()
    {
        using var scope = NewDisposeScope();
        var state = new CheckpointState();
        state.Put("x", 1.0);
        state.Put("y", zeros(1));
        Assert.Throws<InvalidOperationException>(() => state.Put("x", "one"));
        Assert.Throws<InvalidOperationException>(() => state.Put("y", zeros(1)));
        Assert.Throws<InvalidOperationException>(() => state.Section("x"));
    }

    [TestMethod]
    public void Nothing_is_left_of_the_tensors_that_were_needed_on_the_way()
    {
        using var first = zeros(2, 3);
        using var second = zeros(3, 2).t();
        var before = Tensor.TotalCount;
        var state = new CheckpointState();
        state.Put("a", first);
        state.Put("b", second);
        state.CopyInto("a", second);
        state.CopyInto("b", first);
        Assert.AreEqual(before, Tensor.TotalCount);
    }

    private static void Says(Action action, string because)
    {
        var message = Assert.ThrowsExactly<CheckpointException>(action).Message;
        Assert.Contains(because, message);
        Assert.Contains("Resume with", message);
    }

    private static CheckpointState ThroughDisk(CheckpointState state)
    {
        using var folder = new TemporaryFolder();
        CheckpointFolder.Create(folder.Path, []).Save(state);
        return CheckpointFolder.Open(folder.Path).State;
    }
}
