using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Serialization;

[TestClass]
public sealed class InputFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TestMethod]
    public void Any_part_of_a_file_is_read_through_a_link_too()
    {
        File.WriteAllBytes(folder.File("a"), [1, 2, 3, 4, 5]);
        File.CreateSymbolicLink(folder.File("link"), "a");
        foreach (var name in (string[])["a", "link"])
        {
            using var file = InputFile.Open(folder.File(name));
            var part = new byte[3];
            file.Read(1, part);
            CollectionAssert.AreEqual(new byte[] { 2, 3, 4 }, part);
            Assert.AreEqual(5, file.Length);
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => file.Read(3, part));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => file.Read(-1, part));
        }
    }

    [TestMethod]
    public void What_is_no_regular_file_is_refused_at_once()
    {
        foreach (var path in SpecialFiles.MakeAll(kind => folder.File(kind)))
        {
            var error = Assert.ThrowsExactly<IOException>(() => InputFile.Open(path), path);
            Assert.Contains(Path.GetFileName(path) switch { "folder" => "folder", "loop" => "symbolic links", "dangling" => "No such file", _ => "a pipe, a socket or a device" }, error.Message);
        }

        foreach (var path in (string[])["", "a\0b", folder.File("absent")])
            Assert.Throws<IOException>(() => InputFile.Open(path), path);
    }

    [TestMethod]
    [DataRow(0, 3), DataRow(0, 0), DataRow(2, 5), DataRow(0, 9)]
    public void A_file_that_is_written_to_meanwhile_is_noticed(int from, int length)
    {
        File.WriteAllBytes(folder.File("a"), [1, 2, 3, 4, 5]);
        using var file = InputFile.Open(folder.File("a"));
        file.Read(0, new byte[5]);
        // The clock of a file system may tick only every few milliseconds.
        File.SetLastWriteTimeUtc(folder.File("a"), DateTime.UtcNow.AddSeconds(-9));
        using (var before = InputFile.Open(folder.File("a")))
        {
            using (var written = new FileStream(folder.File("a"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                written.SetLength(length);
                written.Position = Math.Min(from, length);
                written.Write(new byte[length - (int)written.Position]);
            }

            Assert.Contains("changed", Assert.ThrowsExactly<IOException>(() => before.Read(0, new byte[5])).Message);
            Assert.ThrowsExactly<IOException>(before.RequireUnchanged);
        }
    }

    [TestMethod]
    public void A_file_that_lost_its_name_to_another_is_still_read()
    {
        File.WriteAllBytes(folder.File("a"), [1, 2]);
        File.WriteAllBytes(folder.File("b"), [3]);
        using var file = InputFile.Open(folder.File("a"));
        File.Move(folder.File("b"), folder.File("a"), overwrite: true);
        var bytes = new byte[2];
        file.Read(0, bytes);
        CollectionAssert.AreEqual(new byte[] { 1, 2 }, bytes);
    }

    [TestMethod]
    public void A_file_larger_than_is_sensible_is_refused_unread()
    {
        SpecialFiles.Sparse(folder.File("a"), 1L << 40);
        Assert.Contains("at most 100", Assert.ThrowsExactly<IOException>(() => InputFile.ReadBytes(folder.File("a"), 100)).Message);
    }

    [TestMethod]
    public void Text_is_read_with_or_without_a_byte_order_mark()
    {
        File.WriteAllBytes(folder.File("a"), [0xEF, 0xBB, 0xBF, (byte)'a', 0xC3, 0xA9]);
        Assert.AreEqual("aé", InputFile.ReadText(folder.File("a"), 100));
    }

    [TestMethod]
    public void A_large_file_that_is_no_model_is_refused_before_it_is_loaded()
    {
        SpecialFiles.Sparse(folder.File("zeros.onnx"), 2_000_000_000);
        // A true start of a model (IR version 8), then zeros; and a graph of nothing but zeros.
        SpecialFiles.Sparse(folder.File("start.onnx"), 1_500_000_000);
        Patch("start.onnx", [0x08, 0x08]);
        SpecialFiles.Sparse(folder.File("graph.onnx"), 2 + 6 + 1_000_000_000);
        Patch("graph.onnx", [0x08, 0x08, 0x3A, .. Varint(1_000_000_000)]);
        foreach (var name in (string[])["zeros", "start", "graph"])
        {
            var before = GC.GetTotalAllocatedBytes();
            Assert.Contains("not an ONNX model", Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(folder.File(name + ".onnx"))).Message);
            Assert.IsLessThan(64_000_000L, GC.GetTotalAllocatedBytes() - before, name);
        }

        Assert.Contains("not an ONNX tensor", Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.ReadTensor(folder.File("zeros.onnx"))).Message);
    }

    [TestMethod]
    public void A_large_model_is_walked_right()
    {
        var graph = new Graph("g");
        for (var i = 0; i < 5000; i++)
            graph.AddInitializer($"w{i}", TensorData.Vector<long>([.. Enumerable.Range(0, 1 + i % 300).Select(n => (long)n)]));
        graph.AddInitializer("large", TensorData.Create<float>([3_000_000], new float[3_000_000]));
        var path = folder.File("large.onnx");
        OnnxFile.Write(new Model(graph) { OpsetImports = { [""] = 17 } }, path);
        Assert.AreEqual(5001, OnnxFile.Read(path).Graph.Initializers.Count);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^1]);
        Assert.Throws<ModelFormatException>(() => OnnxFile.Read(path));
    }

    private static byte[] Varint(long value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }

    private void Patch(string name, byte[] start)
    {
        using var file = new FileStream(folder.File(name), FileMode.Open, FileAccess.Write);
        file.Write(start);
    }
}
