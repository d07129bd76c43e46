using OnnxNas.Ir;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class LatencyMeterTests
{
    [TestMethod]
    public void Percentiles_are_nearest_ranks()
    {
        Assert.AreEqual(new Latency(50.5, 90, 99, 100), LatencyMeter.Summarize([.. Enumerable.Range(1, 100).Select(i => (double)i).Reverse()]));
        Assert.AreEqual(new Latency(2, 3, 3, 3), LatencyMeter.Summarize([3, 1, 2]));
        Assert.AreEqual(new Latency(5, 5, 5, 1), LatencyMeter.Summarize([5]));
    }

    [TestMethod]
    public void Runs_take_time()
    {
        using var session = new OnnxSession(SmallModels.Unary("Neg", ElementType.Float32, "N"));
        var latency = LatencyMeter.Measure(session, RandomInputs.For(session, 1), warmUp: 1, iterations: 7);
        Assert.AreEqual(7, latency.Iterations);
        Assert.IsTrue(0 < latency.Median && latency.Median <= latency.P90 && latency.P90 <= latency.P99, latency.ToString());
    }
}
