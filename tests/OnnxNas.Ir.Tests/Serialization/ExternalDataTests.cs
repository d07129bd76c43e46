using System.Diagnostics;
using System.Runtime.InteropServices;
using Google.Protobuf;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Serialization;

[TestClass]
public sealed class ExternalDataTests : IDisposable
{
    private static readonly float[] Payload = [0, 1, 2, 3, 4, 5, 6, 7];
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TestMethod]
    public void Payload_is_read_from_the_file_beside_the_model()
    {
        File.WriteAllBytes(folder.File("w.bin"), [.. new byte[12], .. Bytes(Payload)]);
        Directory.CreateDirectory(folder.File("sub"));
        File.WriteAllBytes(folder.File("sub", "w.bin"), Bytes(Payload));
        CollectionAssert.AreEqual(Payload, Read(TestModels.External("w.bin", "12", "32")));
        CollectionAssert.AreEqual(Payload, Read(TestModels.External("w.bin", "12")));
        CollectionAssert.AreEqual(Payload, Read(TestModels.External("sub/w.bin")));
    }

    [TestMethod]
    public void Whole_bytes_and_the_message_of_a_small_model_need_no_folder()
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        var model = OnnxFile.Read(TestModels.Add(TestModels.External("w.bin")).Save(folder.Path));
        foreach (var bytes in new[] { OnnxFile.ToWholeBytes(model), OnnxFile.ToMessage(model, embeddedLimit: 32).Bytes })
            CollectionAssert.AreEqual(Payload, OnnxFile.Read(bytes).Graph.Find("w")!.Initializer!.AsSpan<float>().ToArray());
        Assert.IsNull(OnnxFile.ToMessage(model, embeddedLimit: 32).DataFolder);
        // The model itself still refers to the file.
        Assert.AreEqual(TensorStorage.External, model.Graph.Find("w")!.Initializer!.Storage);
        Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(OnnxFile.ToBytes(model)));
    }

    [TestMethod]
    public void Payload_is_loaded_on_first_use_and_not_before()
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        var path = TestModels.Add(TestModels.External("w.bin")).Save(folder.Path);
        var (used, unused) = (OnnxFile.Read(path), OnnxFile.Read(path));
        Assert.AreEqual(1f, used.Graph.Find("w")!.Initializer!.AsSpan<float>()[1]);
        File.Delete(folder.File("w.bin"));
        Assert.AreEqual(1f, used.Graph.Find("w")!.Initializer!.AsSpan<float>()[1]);
        Assert.Contains("cannot be read", Assert.ThrowsExactly<ModelFormatException>(() => unused.Graph.Find("w")!.Initializer!.Bytes).Message);
    }

    [TestMethod]
    [DataRow(0), DataRow(20), DataRow(32), DataRow(64)]
    public void A_file_written_to_since_the_model_was_read_is_refused(int length)
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        File.SetLastWriteTimeUtc(folder.File("w.bin"), DateTime.UtcNow.AddSeconds(-9));
        var model = OnnxFile.Read(TestModels.Add(TestModels.External("w.bin")).Save(folder.Path));
        using (var file = new FileStream(folder.File("w.bin"), FileMode.Open))
        {
            file.SetLength(length);
            file.Write(new byte[Math.Min(length, 4)]);
        }

        var error = Assert.ThrowsExactly<ModelFormatException>(() => model.Graph.Find("w")!.Initializer!.Bytes);
        Assert.Contains("has changed", error.Message);
    }

    [TestMethod]
    public void A_file_replaced_between_reading_and_first_use_is_refused()
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        var model = OnnxFile.Read(TestModels.Add(TestModels.External("w.bin")).Save(folder.Path));
        File.WriteAllBytes(folder.File("other"), new byte[4]);
        File.Move(folder.File("other"), folder.File("w.bin"), overwrite: true);
        var error = Assert.ThrowsExactly<ModelFormatException>(() => model.Graph.Find("w")!.Initializer!.Bytes);
        StringAssert.Contains(error.Message, "has changed");
    }

    [TestMethod]
    [DataRow("../w.bin")]
    [DataRow("a/../../w.bin")]
    [DataRow("sub/../w.bin")]
    [DataRow("./w.bin")]
    [DataRow("..")]
    [DataRow("")]
    [DataRow("sub//w.bin")]
    [DataRow("/etc/hostname")]
    [DataRow("C:\\w.bin")]
    [DataRow("C:w.bin")]
    [DataRow("\\\\server\\share\\w.bin")]
    [DataRow("//server/share/w.bin")]
    [DataRow("sub\\w.bin")]
    [DataRow("w.bin\0.txt")]
    [DataRow("w.bin.")]
    [DataRow("w.bin ")]
    [DataRow("w.bin::$DATA")]
    [DataRow("NUL")]
    [DataRow("sub/com1.bin")]
    public void A_path_that_is_not_plainly_below_the_folder_is_refused(string location)
    {
        Directory.CreateDirectory(folder.File("sub"));
        foreach (var path in new[] { folder.File("w.bin"), folder.File("sub", "w.bin"), folder.File("NUL"), folder.File("sub", "com1.bin") })
            File.WriteAllBytes(path, Bytes(Payload));
        Refused(TestModels.External(location), "below the model's folder");
    }

    [TestMethod]
    public void Links_pipes_and_folders_are_refused()
    {
        if (OperatingSystem.IsWindows())
            Assert.Inconclusive("Made with Unix commands.");
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        Directory.CreateDirectory(folder.File("sub"));
        File.WriteAllBytes(folder.File("sub", "w.bin"), Bytes(Payload));
        File.CreateSymbolicLink(folder.File("link.bin"), "sub/w.bin");
        File.CreateSymbolicLink(folder.File("dangling.bin"), "nowhere");
        Directory.CreateSymbolicLink(folder.File("linked"), "sub");
        Run("ln", folder.File("w.bin"), folder.File("hard.bin"));
        Run("mkfifo", folder.File("pipe"));
        Refused(TestModels.External("link.bin"), "symbolic link");
        Refused(TestModels.External("dangling.bin"), "symbolic link");
        Refused(TestModels.External("linked/w.bin"), "symbolic link");
        Refused(TestModels.External("hard.bin"), "hard links");
        Refused(TestModels.External("w.bin"), "hard links");
        Refused(TestModels.External("pipe"), "pipe");
        Refused(TestModels.External("sub"), "a folder");
        Refused(TestModels.External("sub/w.bin/x"), "a file");
        CollectionAssert.AreEqual(Payload, Read(TestModels.External("sub/w.bin")));
    }

    [TestMethod]
    public void A_missing_file_is_refused_when_the_model_is_read() => Refused(TestModels.External("w.bin"), "is missing");

    [TestMethod]
    [DataRow("-1", null, "offset")]
    [DataRow("0", "-32", "length")]
    [DataRow("0x10", null, "offset")]
    [DataRow("99999999999999999999", null, "offset")]
    [DataRow("33", null, "has 32 bytes")]
    [DataRow("4", "32", "has 32 bytes")]
    [DataRow("9223372036854775807", null, "has 32 bytes")]
    [DataRow("0", "31", "has length 31")]
    [DataRow("0", "33", "has length 33")]
    public void A_range_that_is_not_in_the_file_is_refused(string offset, string? length, string expected)
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        Refused(TestModels.External("w.bin", offset, length), expected);
    }

    [TestMethod]
    public void A_reference_that_is_unclear_is_refused()
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        var twice = TestModels.External("w.bin");
        twice.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "v.bin" });
        Refused(twice, "twice");
        var none = TestModels.External("w.bin");
        none.ExternalData.RemoveAt(0);
        Refused(none, "no location");
        var both = TestModels.External("w.bin");
        both.RawData = ByteString.CopyFrom(Bytes(Payload));
        Refused(both, "both");
        var strings = TestModels.External("w.bin");
        strings.DataType = (int)ElementType.String;
        Refused(strings, "strings");
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(TestModels.Add(TestModels.External("w.bin")).ToByteArray()));
        StringAssert.Contains(error.Message, "without a folder");
    }

    [TestMethod]
    public void Sparse_tensors_may_not_be_external_but_attribute_tensors_may()
    {
        File.WriteAllBytes(folder.File("w.bin"), Bytes(Payload));
        var sparse = TestModels.Relu();
        var values = TestModels.External("w.bin", "0", null, 8);
        values.Name = "s";
        sparse.Graph.SparseInitializer.Add(new SparseTensorProto { Values = values, Indices = new TensorProto { DataType = 7, Dims = { 0 } }, Dims = { 9 } });
        StringAssert.Contains(Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(sparse.Save(folder.Path))).Message, "sparse");

        var constant = TestModels.Relu();
        constant.Graph.Node.Add(TestModels.Node("Constant", [], ["c"]));
        constant.Graph.Node[1].Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = TestModels.External("w.bin") });
        var model = OnnxFile.Read(constant.Save(folder.Path));
        CollectionAssert.AreEqual(Payload, model.Graph.Last!.Attribute("value")!.AsTensor().AsSpan<float>().ToArray());
        constant.Graph.Node[1].Attribute[0].T = TestModels.External("../w.bin");
        Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(constant.Save(folder.Path)));
    }

    [TestMethod]
    public void Written_in_the_same_folder_the_reference_stays_and_elsewhere_the_data_comes_along()
    {
        File.WriteAllBytes(folder.File("w.bin"), [.. new byte[8], .. Bytes(Payload)]);
        var proto = TestModels.Add(TestModels.External("w.bin", "8", "32"));
        var model = OnnxFile.Read(proto.Save(folder.Path));
        OnnxFile.Write(model, folder.File("n.onnx"));
        CollectionAssert.AreEqual(proto.ToByteArray(), File.ReadAllBytes(folder.File("n.onnx")));
        Assert.IsFalse(File.Exists(folder.File("n.onnx.data")));

        Directory.CreateDirectory(folder.File("other"));
        OnnxFile.Write(model, folder.File("other", "n.onnx"));
        File.Delete(folder.File("w.bin"));
        var moved = OnnxFile.Read(folder.File("other", "n.onnx"));
        CollectionAssert.AreEqual(Payload, moved.Graph.Find("w")!.Initializer!.AsSpan<float>().ToArray());
    }

    [TestMethod]
    public void Large_initializers_go_to_a_file_when_asked_and_come_back_equal()
    {
        var model = Large();
        OnnxFile.Write(model, folder.File("big.onnx"), new WriteOptions { ExternalData = true });
        CollectionAssert.AreEquivalent(new[] { "big.onnx", "big.onnx.data" }, Directory.GetFiles(folder.Path).Select(Path.GetFileName).ToArray());
        var proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.File("big.onnx")));
        var large = proto.Graph.Initializer.Where(t => t.DataLocation == TensorProto.Types.DataLocation.External).ToArray();
        CollectionAssert.AreEqual(new[] { "a", "b", "typed" }, large.Select(t => t.Name).ToArray());
        Assert.IsTrue(large.All(t => t.ExternalData.Select(e => e.Key).SequenceEqual(["location", "offset", "length"])));
        Assert.IsTrue(large.All(t => long.Parse(t.ExternalData[1].Value, null) % 4096 == 0));
        var back = OnnxFile.Read(folder.File("big.onnx"));
        foreach (var value in model.Graph.Initializers)
            Assert.IsTrue(value.Initializer!.Bytes.Span.SequenceEqual(back.Graph.Find(value.Name)!.Initializer!.Bytes.Span), value.Name);
        // Over itself, while its data file is mapped.
        OnnxFile.Write(back, folder.File("big.onnx"), new WriteOptions { ExternalData = true });
        CollectionAssert.AreEqual(proto.ToByteArray(), File.ReadAllBytes(folder.File("big.onnx")));
    }

    [TestMethod]
    public void A_model_past_the_limit_of_a_message_is_written_with_a_data_file()
    {
        var model = Large();
        OnnxFile.Write(model, folder.File("fits.onnx"), new WriteOptions { InlineLimit = 200_000 });
        Assert.IsFalse(File.Exists(folder.File("fits.onnx.data")));
        OnnxFile.Write(model, folder.File("big.onnx"), new WriteOptions { InlineLimit = 10_000 });
        Assert.IsTrue(File.Exists(folder.File("big.onnx.data")));
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Write(model, folder.File("no.onnx"), new WriteOptions { InlineLimit = 3 }));
        StringAssert.Contains(error.Message, "2 GiB");
        Assert.IsFalse(File.Exists(folder.File("no.onnx")));
    }

    [TestMethod]
    public void A_failure_leaves_model_and_data_as_they_were()
    {
        OnnxFile.Write(Large(), folder.File("big.onnx"), new WriteOptions { ExternalData = true });
        var before = File.ReadAllBytes(folder.File("big.onnx.data"));
        File.Delete(folder.File("big.onnx"));
        Directory.CreateDirectory(folder.File("big.onnx")); // No file can take its name.
        var other = Large();
        other.Graph.SetInitializer(other.Graph.Find("a")!, TensorData.Create<float>([1000], new float[1000]));
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Write(other, folder.File("big.onnx"), new WriteOptions { ExternalData = true }));
        StringAssert.Contains(error.Message, "cannot be written");
        CollectionAssert.AreEqual(before, File.ReadAllBytes(folder.File("big.onnx.data")));
        Assert.HasCount(2, Directory.GetFileSystemEntries(folder.Path));
    }

    private static Model Large()
    {
        var graph = new Graph("g");
        graph.AddInitializer("a", TensorData.Create<float>([1000], Enumerable.Range(0, 1000).Select(i => (float)i).ToArray()));
        graph.AddInitializer("small", TensorData.Scalar(1f));
        graph.AddInitializer("b", TensorData.Create<byte>([1025], Enumerable.Range(0, 1025).Select(i => (byte)i).ToArray()));
        var doubles = Enumerable.Range(0, 2000).SelectMany(i => BitConverter.GetBytes((double)i)).ToArray();
        graph.AddInitializer("typed", TensorData.FromBytes(ElementType.Float64, [2000], doubles, TensorStorage.Typed));
        return new Model(graph) { OpsetImports = { [""] = 17 } };
    }

    private void Refused(TensorProto tensor, string expected)
    {
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(TestModels.Add(tensor).Save(folder.Path)));
        StringAssert.Contains(error.Message, expected);
        StringAssert.Contains(error.Message, "'w'");
        Assert.DoesNotContain("\n", error.Message);
    }

    private float[] Read(TensorProto tensor) => OnnxFile.Read(TestModels.Add(tensor).Save(folder.Path)).Graph.Find("w")!.Initializer!.AsSpan<float>().ToArray();

    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode);
    }
}
