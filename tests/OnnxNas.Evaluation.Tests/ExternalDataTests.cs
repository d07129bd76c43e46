using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Evaluation.Tests;

/// <summary>
/// ONNX Runtime gets external data from the model's folder. A file of the same name in the working directory, with other numbers, is never read.
/// </summary>
[TestClass]
public sealed class ExternalDataTests : IDisposable
{
    private const int Extent = 40;
    private readonly TemporaryFolder folder = new();
    private readonly string name = $"{Guid.NewGuid():N}.onnx";

    public void Dispose()
    {
        File.Delete($"{name}.data");
        folder.Dispose();
    }

    [TestMethod]
    [DataRow(long.MaxValue, false)]
    [DataRow(0, false)]
    [DataRow(long.MaxValue, true)]
    [DataRow(0, true)]
    public void Numbers_come_from_the_models_folder_whatever_lies_in_the_working_directory(long embeddedLimit, bool withDecoy)
    {
        var model = OnnxFile.Read(Save());
        if (withDecoy)
            File.WriteAllBytes($"{name}.data", new byte[Extent * Extent * sizeof(float)]);
        using var session = new OnnxSession(model, new() { EmbeddedLimit = embeddedLimit });
        var x = Enumerable.Range(0, Extent).Select(i => (float)i).ToArray();
        var y = session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Create<float>([1, Extent], x) })[0].ToDoubles();

        // The transposed weight is the one of the product, so that ONNX Runtime folds it while loading.
        for (var column = 0; column < Extent; column++)
            Assert.AreEqual(Enumerable.Range(0, Extent).Sum(row => x[row] * Weight(column, row)), y[column], 1e-2);
    }

    [TestMethod]
    public void Data_that_changed_since_the_model_was_read_is_refused()
    {
        var path = Save();
        var model = OnnxFile.Read(path);
        File.Move(path + ".data", path + ".old");
        File.WriteAllBytes(path + ".data", new byte[Extent * Extent * sizeof(float)]);
        foreach (var limit in new[] { 0, long.MaxValue })
        {
            var error = Assert.ThrowsExactly<ModelFormatException>(() => new OnnxSession(model, new() { EmbeddedLimit = limit }));
            Assert.Contains("has changed", error.Message);
        }
    }

    private static float Weight(int row, int column) => (row * 7 + column * 3) % 11 - 5;

    private string Save()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 1, Extent);
        var w = net.Constant("w", [Extent, Extent], i => Weight(i / Extent, i % Extent));
        var y = net.Op("MatMul", x, net.Op("Transpose", w));
        var path = folder.File(name);
        OnnxFile.Write(net.Build((y, [1, Extent])), path, new() { ExternalData = true });
        Assert.IsTrue(File.Exists(path + ".data"));
        return path;
    }
}
