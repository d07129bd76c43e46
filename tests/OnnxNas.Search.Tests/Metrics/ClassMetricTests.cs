using OnnxNas.Ir;
using OnnxNas.Search.Metrics;

namespace OnnxNas.Search.Tests.Metrics;

[TestClass]
public sealed class ClassMetricTests
{
    [TestMethod]
    [DataRow(10, 1)]
    [DataRow(10, 12)]
    [DataRow(3, 1)]
    [DataRow(3, 12)]
    public void Hits_are_those_of_a_sorted_list_of_classes(int classes, int positions)
    {
        const int samples = 40;
        var random = new SeededRandom(classes, positions);
        // Few different values, so that there are ties.
        var logits = Enumerable.Range(0, samples * classes * positions).Select(_ => (float)random.NextInt(6)).ToArray();
        var labels = Enumerable.Range(0, samples * positions).Select(_ => (long)random.NextInt(classes)).ToArray();
        var (top1, top5) = (0, 0);
        for (var n = 0; n < samples; n++)
        {
            for (var p = 0; p < positions; p++)
            {
                var order = Enumerable.Range(0, classes).OrderByDescending(c => logits[(n * classes + c) * positions + p]).ToList();
                var place = order.IndexOf((int)labels[n * positions + p]);
                top1 += place == 0 ? 1 : 0;
                top5 += place < 5 ? 1 : 0;
            }
        }

        long[] tail = positions == 1 ? [] : [3, positions / 3];
        foreach (var (metric, hits) in new (Metric, int)[] { (new Accuracy(), top1), (new Top5(), top5) })
        {
            // In two batches of different sizes.
            const int first = 13;
            var (cut, labelCut) = (first * classes * positions, first * positions);
            metric.Add(TensorData.Create<float>([first, classes, .. tail], logits.AsSpan(0, cut)), TensorData.Create<long>([first, .. tail], labels.AsSpan(0, labelCut)));
            metric.Add(TensorData.Create<float>([samples - first, classes, .. tail], logits.AsSpan(cut)), TensorData.Create<long>([samples - first, .. tail], labels.AsSpan(labelCut)));
            Assert.AreEqual((double)hits / (samples * positions), metric.Value, 1e-15, metric.Name);
            Assert.IsTrue(metric.HigherIsBetter);
        }
    }

    [TestMethod]
    public void Equal_logits_rank_in_order_of_class()
    {
        var metric = new Accuracy();
        metric.Add(TensorData.Create<float>([2, 3], [1, 1, 0, 1, 1, 0]), TensorData.Vector(0L, 1));
        Assert.AreEqual(0.5, metric.Value);
        var top5 = new Top5();
        top5.Add(TensorData.Create<float>([2, 6], new float[12]), TensorData.Vector(4L, 5));
        Assert.AreEqual(0.5, top5.Value);
    }

    [TestMethod]
    public void Fewer_than_five_classes_are_all_among_the_top_five()
    {
        var metric = new Top5();
        metric.Add(TensorData.Create<float>([2, 2], [1, 0, 1, 0]), TensorData.Create<long>([2, 1], [0, 1]));
        Assert.AreEqual(1, metric.Value);
    }

    [TestMethod]
    public void Classes_may_lie_along_any_axis_and_labels_may_be_rows()
    {
        // Two samples of two places with three classes last; the largest stand at 2, 0, 1, 1.
        var logits = TensorData.Create<float>([2, 2, 3], [0, 1, 2, 5, 4, 3, 0, 9, 1, 2, 3, 1]);
        var metric = new Accuracy(2);
        metric.Add(logits, TensorData.Create<long>([2, 2], [2, 0, 1, 0]));
        Assert.AreEqual(0.75, metric.Value);
        metric = new Accuracy(2);
        metric.Add(logits, TensorData.Create<float>([2, 2, 3], [0.1f, 0.2f, 0.7f, 0.2f, 0.5f, 0.3f, 0.1f, 0.8f, 0.1f, 0, 1, 0]));
        Assert.AreEqual(0.75, metric.Value);
    }

    [TestMethod]
    [DataRow(OutputForm.Values, 0.0), DataRow(OutputForm.Probabilities, 0.5), DataRow(OutputForm.LogProbabilities, -0.693147180559945), DataRow(OutputForm.Classes, 0.5)]
    public void Two_classes_are_told_apart_where_both_are_as_likely(OutputForm form, double threshold)
    {
        var metric = MetricSet.For("bce-with-logits", form)[0];
        metric.Add(TensorData.Vector(threshold - 0.01, threshold + 0.01, threshold + 0.01, threshold - 0.01), TensorData.Vector(0.0, 1, 0, 1));
        Assert.AreEqual(0.5, metric.Value);
        metric.Add(TensorData.Vector(threshold - 0.01, threshold + 0.01), TensorData.Vector(0.0, 1));
        Assert.AreEqual(4 / 6.0, metric.Value, 1e-15);
    }

    [TestMethod]
    public void NaN_is_no_hit()
    {
        foreach (var metric in new Metric[] { new Accuracy(), new Top5() })
        {
            metric.Add(TensorData.Create<float>([2, 2], [1, float.NaN, float.NaN, 1]), TensorData.Vector(0L, 0));
            Assert.AreEqual(0, metric.Value);
        }
    }

    [TestMethod]
    public void Nothing_added_is_no_number() => Assert.IsTrue(double.IsNaN(new Accuracy().Value));

    [TestMethod]
    public void What_does_not_fit_is_refused()
    {
        var metric = new Accuracy();
        StringAssert.Contains(
            Assert.ThrowsExactly<DataException>(() => metric.Add(TensorData.Create<float>([2, 3], new float[6]), TensorData.Vector(0L))).Message, "Float32[2,3] and Int64[1]");
        StringAssert.Contains(
            Assert.ThrowsExactly<DataException>(() => metric.Add(TensorData.Create<float>([1, 3], new float[3]), TensorData.Vector(3L))).Message, "class index 3");
    }
}
