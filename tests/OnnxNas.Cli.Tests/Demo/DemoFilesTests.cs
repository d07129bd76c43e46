using System.Security.Cryptography;
using OnnxNas.Benchmarks;
using OnnxNas.Benchmarks.Demo;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Demo;

[TestClass]
public sealed class DemoFilesTests
{
    private const long Limit = 2_000_000;
    private static readonly string Folder = Path.Combine(RepositoryFiles.Root, "models");

    [TestMethod]
    public void The_files_are_made_again_byte_for_byte()
    {
        foreach (var (name, bytes) in MakeDemo.Files())
        {
            var checkedIn = File.ReadAllBytes(Path.Combine(Folder, name));
            Assert.AreEqual(
                Convert.ToHexString(SHA256.HashData(checkedIn)),
                Convert.ToHexString(SHA256.HashData(bytes)),
                $"make-demo gives another {name} than models/ holds.");
        }
    }

    [TestMethod]
    public void All_files_together_are_small() =>
        Assert.IsLessThan(Limit, new DirectoryInfo(Folder).EnumerateFiles().Sum(f => f.Length));

    [TestMethod]
    public void Every_class_is_there_as_often_as_any_other()
    {
        using var data = DatasetReader.Read(Path.Combine(Folder, "shapes.npz"), ["x"]);
        var labels = data.Samples.Labels([.. Enumerable.Range(0, data.Samples.Count)], ElementType.Int64).ToInt64s();
        var counts = labels.CountBy(l => l).OrderBy(c => c.Key).ToList();
        CollectionAssert.AreEqual(Enumerable.Range(0, ShapeKind.All.Count).Select(i => (long)i).ToList(), counts.ConvertAll(c => c.Key));
        Assert.HasCount(1, counts.Select(c => c.Value).Distinct());
    }

    [TestMethod]
    public void The_marked_model_runs_in_ONNX_Runtime_unsearched()
    {
        using var data = DatasetReader.Read(Path.Combine(Folder, "shapes.npz"), ["x"]);
        using var session = new OnnxSession(Path.Combine(Folder, "shapes.onnx"));
        var logits = session.Run(new Dictionary<string, TensorData> { ["x"] = data.Samples.Batch("x", [0, 1, 2], ElementType.Float32) })[0];
        CollectionAssert.AreEqual(new long[] { 3, ShapeKind.All.Count }, logits.Dims.ToArray());
        Assert.IsTrue(logits.ToDoubles().All(double.IsFinite));
    }
}
