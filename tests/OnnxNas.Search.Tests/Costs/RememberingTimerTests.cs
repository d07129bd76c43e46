using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Costs;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class RememberingTimerTests
{
    [TestMethod]
    public void A_resumed_search_has_the_times_it_began_with_and_measures_only_what_is_new()
    {
        CheckpointState? kept = null;
        var first = new RememberingTimer(new Counting(10));
        var checkpointer = new Checkpointer(s => kept = s);
        checkpointer.Add("latency", first);
        CollectionAssert.AreEqual((double[])[11, 12, 11], new byte[][] { [1], [2], [1] }.Select(first.Milliseconds).ToArray());
        checkpointer.Save();

        var second = new RememberingTimer(new Counting(50));
        new Checkpointer(null, kept).Add("latency", second);
        CollectionAssert.AreEqual((double[])[12, 11, 51], new byte[][] { [2], [1], [3] }.Select(second.Milliseconds).ToArray());
    }

    // Never says the same twice.
    private sealed class Counting(double start) : IModelTimer
    {
        private double last = start;

        public double Milliseconds(byte[] model) => ++last;
    }
}
