using System.Globalization;
using Google.Protobuf;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>Every file of the shared material comes back as an equal message; protobuf itself is the judge.</summary>
[TestClass]
public sealed class SharedFilesTests
{
    [TestMethod]
    public void Every_model_is_written_back_as_it_was_read()
    {
        var paths = Files("*.onnx");
        Assert.IsGreaterThan(100, paths.Length);
        foreach (var path in paths)
        {
            var expected = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
            var written = OnnxFile.ToBytes(OnnxFile.Read(path));
            Assert.IsTrue(expected.Equals(ModelProto.Parser.ParseFrom(written)), path);
            // Equality takes an absent field for its default; the bytes of a message that protobuf wrote do not.
            CollectionAssert.AreEqual(expected.ToByteArray(), written, path);
        }
    }

    [TestMethod]
    public void Every_tensor_is_written_back_as_it_was_read_and_other_data_is_told_apart()
    {
        var (tensors, others) = (0, 0);
        foreach (var path in Files("*.pb"))
        {
            if (IsDeclaredTensor(path))
            {
                var written = OnnxFile.ToBytes(OnnxFile.ReadTensor(path));
                CollectionAssert.AreEqual(TensorProto.Parser.ParseFrom(File.ReadAllBytes(path)).ToByteArray(), written, path);
                tensors++;
            }
            else
            {
                Assert.ThrowsExactly<UnsupportedOperatorException>(() => OnnxFile.ReadTensor(path), path);
                others++;
            }
        }

        Assert.IsGreaterThan(1000, tensors);
        Assert.IsGreaterThan(0, others);
    }

    // A file input_2.pb is what the case's model declares as its third input.
    private static bool IsDeclaredTensor(string path)
    {
        var model = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(path))!, "model.onnx");
        var name = Path.GetFileNameWithoutExtension(path).Split('_');
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(model)).Graph;
        var values = name[0] == "input" ? graph.Input : graph.Output;
        return values[int.Parse(name[1], CultureInfo.InvariantCulture)].Type.ValueCase == TypeProto.ValueOneofCase.TensorType;
    }

    // The cases are files that are to be refused, or mended while they are read.
    private static string[] Files(string pattern) =>
        [.. Directory.EnumerateFiles(RepositoryFiles.Shared(), pattern, SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(RepositoryFiles.Shared(), path).StartsWith("cases", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
}
