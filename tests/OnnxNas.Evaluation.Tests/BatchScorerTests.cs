using OnnxNas.Ir;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class BatchScorerTests
{
    [TestMethod]
    [DataRow(10, 4, "N", "4,4,2")]
    [DataRow(10, 4, 3, "3,3,3,3")]
    [DataRow(2, 4, 3, "3")]
    [DataRow(6, 1, 3, "3,3")]
    [DataRow(0, 4, "N", "")]
    public void Every_sample_is_scored_once_whatever_the_batch(int count, int batchSize, object batch, string sizes)
    {
        using var session = new OnnxSession(SmallModels.Unary("Neg", ElementType.Float32, batch, 2));
        var seen = new List<double>();
        var fed = new List<int>();
        BatchScorer.Run(session, count, batchSize, indices =>
        {
            fed.Add(indices.Length);
            return new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([indices.Length, 2], indices.SelectMany(i => new float[] { i, i + 0.5f }).ToArray()) };
        }, (outputs, range) =>
        {
            Assert.AreEqual(seen.Count / 2, range.Start.Value);
            Assert.AreEqual(range.End.Value - range.Start.Value, outputs[0].Dims[0]);
            seen.AddRange(outputs[0].ToDoubles());
        });
        CollectionAssert.AreEqual(Enumerable.Range(0, count).SelectMany(i => new double[] { -i, -(i + 0.5) }).ToArray(), seen);
        Assert.AreEqual(sizes, string.Join(',', fed));
    }

    [TestMethod]
    public void An_output_without_batch_axis_cannot_be_cut()
    {
        using var session = new OnnxSession(SmallModels.Bytes(ElementType.Float32, [3, 2], (graph, x) =>
        {
            var y = graph.AddValue("y", new TensorType(ElementType.Float32));
            graph.AddNode("ReduceMean", [x], [y]);
            return y;
        }));
        var e = Assert.ThrowsExactly<ModelFormatException>(() => BatchScorer.Run(
            session, 4, 3, indices => new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([3, 2], new float[6]) }, (_, _) => { }));
        StringAssert.Contains(e.Message, "Output 'y' is Float32[1,1] for a batch of 3");
    }
}
