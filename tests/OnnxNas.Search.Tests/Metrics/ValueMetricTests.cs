using OnnxNas.Ir;
using OnnxNas.Search.Metrics;

namespace OnnxNas.Search.Tests.Metrics;

[TestClass]
public sealed class ValueMetricTests
{
    [TestMethod]
    [DataRow(1, 0.0)]
    [DataRow(3, 0.0)]
    [DataRow(3, 1e6)]
    public void Values_are_those_of_the_formulas(int width, double offset)
    {
        const int samples = 60;
        var random = new SeededRandom(width);
        var labels = Enumerable.Range(0, samples * width).Select(_ => offset + random.NextGaussian()).ToArray();
        var predictions = labels.Select(l => l + 0.3 * random.NextGaussian()).ToArray();
        var pairs = predictions.Zip(labels).ToArray();
        var columns = Enumerable.Range(0, width).Select(c => pairs.Where((_, i) => i % width == c).ToArray()).ToArray();
        Check(new MeanSquaredError(), pairs.Average(p => Math.Pow(p.First - p.Second, 2)));
        Check(new MeanAbsoluteError(), pairs.Average(p => Math.Abs(p.First - p.Second)));
        Check(new RSquared(), columns.Average(c => 1 - c.Sum(p => Math.Pow(p.Second - p.First, 2)) / c.Sum(p => Math.Pow(p.Second - c.Average(q => q.Second), 2))));
        Check(new BinaryAccuracy(), pairs.Average(p => p.First > 0 == p.Second >= 0.5 ? 1.0 : 0));

        void Check(Metric metric, double expected)
        {
            foreach (var part in predictions.Zip(labels).Chunk(17 * width))
            {
                long[] dims = width == 1 ? [part.Length] : [part.Length / width, width];
                metric.Add(TensorData.Create<double>(dims, part.Select(p => p.First).ToArray()), TensorData.Create<double>(dims, part.Select(p => p.Second).ToArray()));
            }

            Assert.AreEqual(expected, metric.Value, 1e-9, metric.Name);
        }
    }

    [TestMethod]
    public void Labels_without_a_spread_are_explained_wholly_or_not_at_all()
    {
        Assert.AreEqual(1, Of(new RSquared(), [2, 2], [2, 2]));
        Assert.AreEqual(0, Of(new RSquared(), [2, 3], [2, 2]));
    }

    [TestMethod]
    public void Binary_labels_of_any_type_are_compared_with_the_sign()
    {
        var metric = new BinaryAccuracy();
        metric.Add(TensorData.Create<float>([5, 1], [0.1f, -0.1f, 0, float.NaN, 5]), TensorData.Vector(true, false, false, false, false));
        Assert.AreEqual(0.6, metric.Value);
    }

    [TestMethod]
    public void NaN_predictions_make_errors_NaN()
    {
        foreach (var metric in new Metric[] { new MeanSquaredError(), new MeanAbsoluteError(), new RSquared() })
            Assert.IsTrue(double.IsNaN(Of(metric, [double.NaN, 1], [0, 1])), metric.Name);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused() =>
        Assert.ThrowsExactly<DataException>(() => new MeanSquaredError().Add(TensorData.Create<float>([2, 3], new float[6]), TensorData.Vector(1f, 2)));

    [TestMethod]
    [DataRow("cross-entropy", "accuracy top-5", true)]
    [DataRow("bce-with-logits", "accuracy", true)]
    [DataRow("mse", "mse mae r2", false)]
    [DataRow("mae", "mae mse r2", false)]
    public void Every_loss_has_its_metrics(string loss, string names, bool higherIsBetter)
    {
        Assert.AreEqual(names, string.Join(' ', MetricSet.For(loss).Select(m => m.Name)));
        Assert.AreEqual(higherIsBetter, MetricSet.Default(loss).HigherIsBetter);
        Assert.ThrowsExactly<ChoiceException>(() => MetricSet.For("hinge"));
    }

    private static double Of(Metric metric, double[] predictions, double[] labels)
    {
        metric.Add(TensorData.Vector(predictions), TensorData.Vector(labels));
        return metric.Value;
    }
}
