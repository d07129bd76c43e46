using System.IO.Compression;
using System.Runtime.InteropServices;
using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class NpzFileTests
{
    [TestMethod]
    [DataRow("<f2", ElementType.Float16)]
    [DataRow("<f4", ElementType.Float32)]
    [DataRow("<f8", ElementType.Float64)]
    [DataRow("|i1", ElementType.Int8)]
    [DataRow("<i2", ElementType.Int16)]
    [DataRow("<i4", ElementType.Int32)]
    [DataRow("<i8", ElementType.Int64)]
    [DataRow("|u1", ElementType.UInt8)]
    [DataRow("<u2", ElementType.UInt16)]
    [DataRow("<u4", ElementType.UInt32)]
    [DataRow("<u8", ElementType.UInt64)]
    public void Both_byte_orders_read_to_the_same_bytes(string descr, ElementType type)
    {
        var width = type.BitWidth() / 8;
        var little = Enumerable.Range(1, 6 * width).Select(i => (byte)i).ToArray();
        var big = little.Chunk(width).SelectMany(e => e.Reverse()).ToArray();
        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", NpyBytes.Zip(
            ("l.npy", NpyBytes.Npy(descr, "(3, 2)", little)),
            ("b.npy", NpyBytes.Npy(">" + descr[1..], "(3, 2)", big)))));
        foreach (var name in new[] { "l", "b" })
        {
            var array = file.Open(name);
            Assert.AreEqual(type, array.Type);
            CollectionAssert.AreEqual(new long[] { 3, 2 }, array.Dims.ToArray());
            CollectionAssert.AreEqual(little, ReadAll(array));
            var last = new byte[width];
            array.Read(5 * width, last);
            CollectionAssert.AreEqual(little[^width..], last);
        }
    }

    [TestMethod]
    public void Bools_come_as_0_and_1_whatever_the_bytes() =>
        CollectionAssert.AreEqual(new byte[] { 0, 1, 1 }, ReadOne(NpyBytes.Npy("|b1", "(3,)", [0, 1, 255])));

    [TestMethod]
    [DataRow((byte)1)]
    [DataRow((byte)2)]
    [DataRow((byte)3)]
    public void All_three_format_versions_are_read(byte version) =>
        CollectionAssert.AreEqual(new byte[] { 7, 8 }, ReadOne(NpyBytes.Npy("|u1", "(2,)", [7, 8], version: version)));

    [TestMethod]
    public void Fortran_order_means_nothing_with_one_axis() =>
        CollectionAssert.AreEqual(new byte[] { 7, 8 }, ReadOne(NpyBytes.Npy("|u1", "(2L,)", [7, 8], "True")));

    [TestMethod]
    [DataRow(CompressionLevel.NoCompression)]
    [DataRow(CompressionLevel.Optimal)]
    public void Stored_and_deflated_arrays_read_alike(CompressionLevel level)
    {
        var data = MemoryMarshal.AsBytes<int>(Enumerable.Range(0, 100_000).ToArray()).ToArray();
        CollectionAssert.AreEqual(data, ReadOne(NpyBytes.Npy("<i4", "(50000, 2)", data), level));
    }

    [TestMethod]
    public void A_large_deflated_array_goes_through_a_file_that_vanishes()
    {
        using var folder = new TempFolder();
        var size = 65 << 20;
        var npy = NpyBytes.Npy("|u1", $"({size},)", new byte[size]);
        npy[^1] = 42;
        var path = folder.Write("a.npz", NpyBytes.Zip(CompressionLevel.Fastest, ("x.npy", npy)));
        var before = Unpacked();
        using (var file = new NpzFile(path))
        {
            var last = new byte[1];
            file.Open("x").Read(size - 1, last);
            Assert.AreEqual(42, last[0]);
            // Where an open file needs no name it has none: the process may be killed at any moment.
            Assert.HasCount(before.Length + (OperatingSystem.IsWindows() ? 1 : 0), Unpacked());
        }

        Assert.HasCount(before.Length, Unpacked());

        static string[] Unpacked() => Directory.GetFiles(Path.GetTempPath(), "onnxnas-*.npy");
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)] // Where a file of 5 GB with a hole in it is cheap.
    public void A_stored_array_may_be_larger_than_memory_and_the_file_zip64()
    {
        using var folder = new TempFolder();
        const long count = 5L << 30;
        var head = NpyBytes.Npy("|u1", $"({count >> 20}, {1 << 20})", []);
        byte[] name = [.. "x.npy"u8];
        var size = head.Length + count;
        byte[] local = [.. "PK\x03\x04"u8, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Ones(8), 5, 0, 20, 0, .. name, 1, 0, 16, 0, .. I64(size), .. I64(size)];
        byte[] central = [.. "PK\x01\x02"u8, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Ones(8), 5, 0, 20, 0, .. new byte[14], .. name, 1, 0, 16, 0, .. I64(size), .. I64(size)];
        var start = local.Length + size;
        byte[] end64 = [.. "PK\x06\x06"u8, .. I64(44), 45, 0, 45, 0, .. new byte[8], .. I64(1), .. I64(1), .. I64(central.Length), .. I64(start)];
        byte[] locator = [.. "PK\x06\x07"u8, 0, 0, 0, 0, .. I64(start + central.Length), 1, 0, 0, 0];
        byte[] end = [.. "PK\x05\x06"u8, 0, 0, 0, 0, .. Ones(12), 0, 0];
        using (var stream = File.Create(folder.File("a.npz")))
        {
            stream.Write(local);
            stream.Write(head);
            stream.Position = start - 1;
            stream.WriteByte(42);
            stream.Write([.. central, .. end64, .. locator, .. end]);
        }

        using (var zip = ZipFile.OpenRead(folder.File("a.npz")))
            Assert.AreEqual(size, zip.GetEntry("x.npy")!.Length, "The file must be what the framework, too, takes for zip64.");
        using var file = new NpzFile(folder.File("a.npz"));
        var array = file.Open("x");
        var last = new byte[2];
        array.Read(count - 2, last);
        CollectionAssert.AreEqual(new byte[] { 0, 42 }, last);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => array.Read(count - 1, new byte[2]));

        static byte[] I64(long value) => BitConverter.GetBytes(value);
        static byte[] Ones(int count) => [.. Enumerable.Repeat((byte)255, count)];
    }

    [TestMethod]
    public void Files_that_numpy_wrote_are_read()
    {
        using var file = new NpzFile(RepositoryFiles.Shared("data", "digits.npz"));
        CollectionAssert.AreEqual(new[] { "x", "label" }, file.Names.ToArray());
        var x = file.Open("x");
        Assert.AreEqual(ElementType.Float32, x.Type);
        CollectionAssert.AreEqual(new long[] { 1797, 1, 8, 8 }, x.Dims.ToArray());
        var pixels = MemoryMarshal.Cast<byte, float>(ReadAll(x)).ToArray();
        Assert.AreEqual(0, pixels.Min());
        Assert.AreEqual(1, pixels.Max());
        // The first digits of the UCI set are 0, 1, 2, …
        CollectionAssert.AreEqual(Enumerable.Range(0, 10).Select(i => (long)i).ToArray(), MemoryMarshal.Cast<byte, long>(ReadAll(file.Open("label")))[..10].ToArray());
    }

    internal static byte[] ReadAll(SampleArray array)
    {
        var bytes = new byte[array.Count * array.SampleBytes];
        array.Read(0, bytes);
        return bytes;
    }

    private static byte[] ReadOne(byte[] npy, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", NpyBytes.Zip(level, ("x.npy", npy))));
        return ReadAll(file.Open("x"));
    }
}
