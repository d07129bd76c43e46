using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class DatasetReaderTests
{
    [TestMethod]
    [DataRow("image", "label")]
    [DataRow("x", "labels")]
    [DataRow("x", "y")]
    [DataRow("image", "target")]
    public void A_single_input_is_found_by_its_name_or_as_x(string input, string label) => Reads([input, label], ["image"], hasTest: false);

    [TestMethod]
    public void Several_inputs_are_found_by_name_and_other_arrays_left_alone() => Reads(["a", "b", "y", "notes"], ["a", "b"], hasTest: false);

    [TestMethod]
    public void Other_arrays_that_end_in_train_mean_nothing() => Reads(["x", "label", "notes_train"], ["image"], hasTest: false, parted: false);

    [TestMethod]
    public void An_input_named_y_is_not_taken_for_the_labels() => Reads(["y", "label"], ["y"], hasTest: false);

    [TestMethod]
    public void Train_and_test_pairs_are_told_apart()
    {
        Reads(["x_train", "y_train", "x_test", "y_test"], ["image"], hasTest: true);
        Reads(["a_train", "b_train", "label_train", "a_test", "b_test", "label_test"], ["a", "b"], hasTest: true);
        Reads(["x_train", "y_train"], ["image"], hasTest: false);
    }

    [TestMethod]
    [DataRow("x,other", "no array for the labels: expected 'label' or 'labels' or 'y' or 'target', found 'x', 'other'")]
    [DataRow("label", "no array for input 'image': expected 'image' or 'x', found 'label'")]
    [DataRow("x,y,label", "'label', 'y', any of which could be the labels")]
    [DataRow("x_train,y_train,x_test", "no array for the labels: expected 'label_test'")]
    [DataRow("x_train,y_train,y_test", "no array for input 'image': expected 'image_test'")]
    [DataRow("", "found none")]
    public void What_is_missing_is_named(string names, string expected)
    {
        using var folder = new TempFolder();
        var path = Write(folder, names.Split(',', StringSplitOptions.RemoveEmptyEntries));
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => DatasetReader.Read(path, ["image"])).Message, expected);
    }

    [TestMethod]
    public void A_missing_file_and_an_unknown_format_are_named()
    {
        using var folder = new TempFolder();
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => DatasetReader.Read(folder.File("a.npz"), ["x"])).Message, "There is no data file");
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => DatasetReader.Read(folder.Write("a.csv", [1]), ["x"])).Message, "data is read from .npz files");
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => DatasetReader.Read(folder.Write("a.npz", []), ["x"])).Message, "is empty");
    }

    [TestMethod]
    public void The_shared_data_sets_are_read()
    {
        using var digits = DatasetReader.Read(RepositoryFiles.Shared("data", "digits.npz"), ["input"]);
        Assert.AreEqual(1797, digits.Samples.Count);
        Assert.IsNull(digits.Test);
        using var hard = DatasetReader.Read(RepositoryFiles.Shared("data", "hard-digits.npz"), ["input"]);
        Assert.AreEqual(6000, hard.Samples.Count);
        Assert.AreEqual(1500, hard.Test!.Count);
        CollectionAssert.AreEqual(new long[] { 1, 20, 20 }, hard.Test.SampleDims("input").ToArray());
        DatasetChecks.CheckClassLabels(hard.Samples, 10);
    }

    private static void Reads(string[] arrays, string[] inputs, bool hasTest, bool? parted = null)
    {
        using var folder = new TempFolder();
        using var file = DatasetReader.Read(Write(folder, arrays), inputs);
        CollectionAssert.AreEqual(inputs, file.Samples.InputNames.ToArray());
        Assert.AreEqual(hasTest, file.Test is not null);
        var isParted = parted ?? arrays.Any(a => a.EndsWith("_train", StringComparison.Ordinal));
        foreach (var (data, suffix) in new[] { (file.Samples, "_train"), (file.Test, "_test") })
        {
            if (data is null)
                continue;
            // Each array is filled with its place in the list, so that a mix-up shows.
            for (var i = 0; i < inputs.Length; i++)
            {
                var at = Array.FindIndex(arrays, a => a == inputs[i] + (isParted ? suffix : "") || inputs.Length == 1 && a == "x" + (isParted ? suffix : ""));
                Assert.AreEqual(at, data.Batch(inputs[i], [0], ElementType.Float32).AsSpan<float>()[0]);
            }

            var label = Array.FindLastIndex(arrays, a => a.Split('_')[0] is "label" or "labels" or "y" or "target" && (!isParted || a.EndsWith(suffix, StringComparison.Ordinal)));
            Assert.AreEqual(label, data.Labels([0], ElementType.Int64).AsSpan<long>()[0]);
        }
    }

    private static string Write(TempFolder folder, string[] names)
    {
        using var stream = new MemoryStream();
        NpzWriter.Write(stream, names.Select((n, i) => KeyValuePair.Create(n, TensorData.Create<int>([2], [i, i]))));
        return folder.Write("a.npz", stream.ToArray());
    }
}
