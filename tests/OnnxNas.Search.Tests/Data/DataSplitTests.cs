using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class DataSplitTests
{
    [TestMethod]
    public void Rows_of_probabilities_are_split_in_proportion_to_their_largest()
    {
        // Four in five are of class 2.
        var rows = Enumerable.Range(0, 100).SelectMany(i => i % 5 == 0 ? [0.5f, 0.3f, 0.2f] : new[] { 0.1f, 0.3f, 0.6f }).ToArray();
        var data = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([100], new float[100]) }, TensorData.Create<float>([100, 3], rows));
        var split = DataSplit.Create(data, new() { Stratify = true, Probabilities = true, TestFraction = 0.2, ValidFraction = 0.5 });
        foreach (var part in new[] { split.Train, split.Valid, split.Test! })
        {
            var labels = part.Labels([.. Enumerable.Range(0, part.Count)], ElementType.Float32).ToDoubles();
            Assert.AreEqual(part.Count / 5, labels.Chunk(3).Count(r => r[0] == 0.5));
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Every_sample_goes_to_exactly_one_part_of_the_size_asked_for(bool stratify)
    {
        var split = DataSplit.Create(Data(101, i => i % 3), new SplitOptions { Seed = 4, Stratify = stratify });
        Assert.AreEqual(20, split.Test!.Count);
        Assert.AreEqual(41, split.Valid.Count);
        Assert.AreEqual(40, split.Train.Count);
        var all = Ids(split.Test).Concat(Ids(split.TrainAndValid)).ToArray();
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 101).ToArray(), all);
        Assert.IsFalse(Ids(split.Train).SequenceEqual(Ids(split.Train).Order()), "Not shuffled.");
    }

    [TestMethod]
    public void Data_sorted_by_class_has_every_class_in_every_part_and_the_mutant_of_unshuffled_halves_has_not()
    {
        // Unstratified, so that only the shuffling mixes them.
        var data = Data(200, i => i / 50);
        var split = DataSplit.Create(data, new SplitOptions { Seed = 2, TestFraction = 0 });
        Assert.IsTrue(HaveAll(split.Train, split.Valid));
        Assert.IsFalse(HaveAll(data.Subset(Enumerable.Range(0, 100)), data.Subset(Enumerable.Range(100, 100))));

        static bool HaveAll(params Dataset[] parts) => parts.All(p => DatasetTests.Classes(p).Distinct().Count() == 4);
    }

    [TestMethod]
    public void Each_class_is_split_in_proportion()
    {
        // 60, 30 and 10 of 100; the test takes 20, valid half of the rest.
        var split = DataSplit.Create(Data(100, i => i < 60 ? 7 : i < 90 ? 2 : 0), new SplitOptions { Seed = 1, Stratify = true });
        Assert.AreEqual("0:2 2:6 7:12", Counts(split.Test!));
        Assert.AreEqual("0:4 2:12 7:24", Counts(split.Valid));
        Assert.AreEqual("0:4 2:12 7:24", Counts(split.Train));
    }

    [TestMethod]
    public void What_does_not_divide_goes_to_the_largest_remainders()
    {
        // Shares of a quarter: 1.75, 1.25, 1 → 2, 1, 1.
        var split = DataSplit.Create(Data(16, i => i < 7 ? 0 : i < 12 ? 1 : 2), new SplitOptions { TestFraction = 0.25, Stratify = true });
        Assert.AreEqual("0:2 1:1 2:1", Counts(split.Test!));
    }

    [TestMethod]
    public void A_seed_is_a_split()
    {
        var data = Data(50, i => i % 2);
        var options = new SplitOptions { Seed = 3, Stratify = true };
        CollectionAssert.AreEqual(Ids(DataSplit.Create(data, options).Train), Ids(DataSplit.Create(data, options).Train));
        CollectionAssert.AreNotEqual(Ids(DataSplit.Create(data, options).Train), Ids(DataSplit.Create(data, options with { Seed = 4 }).Train));
    }

    [TestMethod]
    public void Parts_that_are_given_are_not_taken_from_the_data()
    {
        var (data, other) = (Data(10, i => i % 2), Data(4, i => i % 2));
        var split = DataSplit.Create(data, new SplitOptions(), test: other);
        Assert.AreSame(other, split.Test);
        Assert.AreEqual(5, split.Valid.Count);
        Assert.AreEqual(5, split.Train.Count);
        split = DataSplit.Create(data, new SplitOptions(), valid: other);
        Assert.AreEqual(2, split.Test!.Count);
        Assert.AreEqual(8, split.Train.Count);
        Assert.AreEqual(12, split.TrainAndValid.Count);
        Assert.IsNull(DataSplit.Create(data, new SplitOptions { TestFraction = 0 }).Test);
    }

    [TestMethod]
    public void Targets_of_several_numbers_are_split_plainly()
    {
        var data = Dataset.FromTensors(
            new Dictionary<string, TensorData> { ["x"] = TensorData.Vector(Enumerable.Range(0, 10).ToArray()) }, TensorData.Create<float>([10, 2], new float[20]));
        Assert.AreEqual(2, DataSplit.Create(data, new SplitOptions { Stratify = true }).Test!.Count);
    }

    [TestMethod]
    [DataRow(-0.1, 0.5)]
    [DataRow(1.0, 0.5)]
    [DataRow(double.NaN, 0.5)]
    [DataRow(0.2, 0.0)]
    [DataRow(0.2, 1.0)]
    public void Fractions_out_of_range_are_refused(double test, double valid) =>
        Assert.ThrowsExactly<DataException>(() => DataSplit.Create(Data(10, i => 0), new SplitOptions { TestFraction = test, ValidFraction = valid }));

    [TestMethod]
    public void An_empty_part_is_refused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => DataSplit.Create(Data(2, i => 0), new SplitOptions())).Message, "test part of 2 samples");
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => DataSplit.Create(Data(1, i => 0), new SplitOptions { TestFraction = 0 })).Message, "train part");
    }

    private static int[] Ids(Dataset data) => data.Batch("x", [.. Enumerable.Range(0, data.Count)], ElementType.Int32).AsSpan<int>().ToArray();

    private static string Counts(Dataset data) => string.Join(' ', DatasetTests.Classes(data).CountBy(c => c).OrderBy(p => p.Key).Select(p => $"{p.Key}:{p.Value}"));

    private static Dataset Data(int count, Func<int, long> label) => Dataset.FromTensors(
        new Dictionary<string, TensorData> { ["x"] = TensorData.Vector(Enumerable.Range(0, count).ToArray()) },
        TensorData.Vector(Enumerable.Range(0, count).Select(label).ToArray()));
}
