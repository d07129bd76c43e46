using System.IO.Compression;
using System.Text;
using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class NpzWriterTests
{
    private static readonly KeyValuePair<string, TensorData>[] Arrays =
    [
        new("x", TensorData.Create<float>([2, 3], [1, 2, 3, 4, 5, 6])),
        new("h", TensorData.Create<Half>([2], [(Half)1, (Half)2])),
        new("b", TensorData.Create<bool>([2], [true, false])),
        new("label", TensorData.Create<long>([2], [0, 1])),
        new("none", TensorData.Create<byte>([0, 4], [])),
        new("ü", TensorData.Scalar(1.5)),
    ];

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void The_frameworks_zip_reader_finds_every_array_as_npy(bool compress)
    {
        var bytes = Write(compress);
        using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.HasCount(Arrays.Length, zip.Entries);
        foreach (var (name, tensor) in Arrays)
        {
            var entry = zip.GetEntry(name + ".npy")!;
            using var content = new MemoryStream();
            entry.Open().CopyTo(content);
            var npy = content.ToArray();
            Assert.AreEqual(entry.Length, npy.Length);
            var data = 10 + BitConverter.ToUInt16(npy, 8);
            Assert.AreEqual(0, data % 64);
            CollectionAssert.AreEqual(tensor.Bytes.ToArray(), npy[data..]);
            var head = Encoding.ASCII.GetString(npy, 10, data - 10);
            StringAssert.StartsWith(head, "{'descr': '");
            StringAssert.EndsWith(head, "\n");
        }
    }

    [TestMethod]
    public void A_head_is_the_one_numpy_writes()
    {
        using var zip = new ZipArchive(new MemoryStream(Write(false)));
        var npy = new byte[128];
        zip.GetEntry("label.npy")!.Open().ReadExactly(npy);
        var expected = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }".PadRight(117) + "\n";
        Assert.AreEqual(expected, Encoding.ASCII.GetString(npy, 10, 118));
        CollectionAssert.AreEqual(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 118, 0 }, npy[..10]);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void What_is_written_is_read(bool compress)
    {
        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", Write(compress)));
        foreach (var (name, tensor) in Arrays.Where(a => a.Value.Dims.Count > 0))
        {
            var array = file.Open(name);
            Assert.AreEqual(tensor.Type, array.Type);
            CollectionAssert.AreEqual(tensor.Dims.ToArray(), array.Dims.ToArray());
            CollectionAssert.AreEqual(tensor.Bytes.ToArray(), NpzFileTests.ReadAll(array));
        }
    }

    [TestMethod]
    public void Equal_arrays_give_equal_bytes() => CollectionAssert.AreEqual(Write(true), Write(true));

    [TestMethod]
    public void A_type_without_npy_form_is_refused() =>
        StringAssert.Contains(
            Assert.ThrowsExactly<DataException>(() => NpzWriter.Write(new MemoryStream(), [new("x", TensorData.FromBytes(ElementType.BFloat16, [1], new byte[2]))])).Message,
            "BFloat16");

    private static byte[] Write(bool compress)
    {
        using var stream = new MemoryStream();
        NpzWriter.Write(stream, Arrays, compress);
        return stream.ToArray();
    }
}
