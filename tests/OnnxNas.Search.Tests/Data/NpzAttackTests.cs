using System.Buffers.Binary;
using System.IO.Compression;
using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class NpzAttackTests
{
    private static readonly byte[] Good = NpyBytes.Npy("|u1", "(4,)", [1, 2, 3, 4]);

    [TestMethod]
    public void Names_are_keys_and_touch_no_path()
    {
        using var folder = new TempFolder();
        string[] names = ["../../up", "/etc/shadow", "C:\\x", "a\nb\u202E"];
        using var file = new NpzFile(folder.Write("a.npz", NpyBytes.Zip([.. names.Select(n => (n + ".npy", Good))])));
        CollectionAssert.AreEqual(names, file.Names.ToArray());
        Assert.HasCount(4, NpzFileTests.ReadAll(file.Open("../../up")));
        var message = Assert.ThrowsExactly<DataException>(() => file.Open("x")).Message;
        Assert.IsFalse(message.Any(c => c is '\n' or '\u202E'), message);
    }

    [TestMethod]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }", "promises 5 bytes, it holds 4")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "promises 3 bytes, it holds 4")]
    [DataRow("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "larger than any file")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (-4,), }", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), 'x': 1}", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'descr': '|u1', 'shape': (4,)}", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': False}", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': __import__('os').system('x'), 'shape': (4,)}", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': 0, 'shape': (4,)}", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)} + {}", "header")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': (4", "header")]
    [DataRow("{'descr': '|u1", "header")]
    [DataRow("{'descr': 'a\\x20b', 'fortran_order': False, 'shape': (4,)}", "header")]
    [DataRow("{'descr': '|O', 'fortran_order': False, 'shape': (4,)}", "pickled")]
    [DataRow("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "record array")]
    [DataRow("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", "'<U1'")]
    [DataRow("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "'<c8'")]
    [DataRow("{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}", "'<f3'")]
    [DataRow("{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", "'|f4'")]
    [DataRow("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", "promises 6 bytes")]
    [DataRow("{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "promises 1 bytes")]
    [DataRow("", "header")]
    public void A_header_that_lies_or_does_more_than_describe_is_refused(string dict, string expected) =>
        Refuses(NpyBytes.Zip(("x.npy", NpyBytes.Npy(dict, [1, 2, 3, 4]))), expected);

    [TestMethod]
    public void Samples_too_large_to_count_are_refused_even_where_there_are_none() =>
        Refuses(NpyBytes.Zip(("x.npy", NpyBytes.Npy("<f4", "(0, 4611686018427387904, 4)", []))), "more than any file can hold");

    [TestMethod]
    public void A_single_number_has_no_samples() => Refuses(NpyBytes.Zip(("x.npy", NpyBytes.Npy("|u1", "()", [1]))), "single number");

    [TestMethod]
    public void A_header_length_past_the_end_is_refused()
    {
        var npy = NpyBytes.Npy("|u1", "(4,)", [1, 2, 3, 4], version: 2);
        BinaryPrimitives.WriteUInt32LittleEndian(npy.AsSpan(8), uint.MaxValue);
        Refuses(NpyBytes.Zip(("x.npy", npy)), "header claims 4294967295 bytes");
        Refuses(NpyBytes.Zip(("x.npy", [0x93, .. "NUMPY"u8, 9, 0, 0, 0])), "format 9.0");
        Refuses(NpyBytes.Zip(("x.npy", [0x93])), "not in .npy format");
        Refuses(NpyBytes.Zip(("x.npy", [])), "not in .npy format");
    }

    [TestMethod]
    public void Every_truncation_of_a_file_is_refused()
    {
        var zip = NpyBytes.Zip(CompressionLevel.Optimal, ("x.npy", Good), ("y.npy", Good));
        for (var length = 0; length < zip.Length; length++)
            Refuses(zip[..length], "");
    }

    [TestMethod]
    [DataRow(CompressionLevel.NoCompression)]
    [DataRow(CompressionLevel.Optimal)]
    public void No_changed_byte_gets_past_with_anything_but_a_clear_refusal(CompressionLevel level)
    {
        var zip = NpyBytes.Zip(level, ("x.npy", Good));
        using var folder = new TempFolder();
        for (var at = 0; at < zip.Length; at++)
        {
            foreach (var flip in new byte[] { 1, 0x80, 0xFF })
            {
                byte[] changed = [.. zip];
                changed[at] ^= flip;
                try
                {
                    using var file = new NpzFile(folder.Write("a.npz", changed));
                    foreach (var name in file.Names)
                        NpzFileTests.ReadAll(file.Open(name));
                }
                catch (DataException e)
                {
                    Assert.IsFalse(e.Message.Contains('\n', StringComparison.Ordinal), e.Message);
                }
            }
        }
    }

    [TestMethod]
    public void Packed_bytes_that_hold_more_than_the_directory_says_are_refused()
    {
        var zip = NpyBytes.Zip(CompressionLevel.Optimal, ("x.npy", NpyBytes.Npy("|u1", "(099999,)", new byte[100000])));
        var size = Directory(zip).Slice(24, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(size, BinaryPrimitives.ReadUInt32LittleEndian(size) - 1);
        Refuses(zip, "does not unpack to what the directory says");
    }

    [TestMethod]
    public void A_claim_no_packing_can_keep_is_refused_before_anything_is_allocated()
    {
        var zip = NpyBytes.Zip(CompressionLevel.Optimal, ("x.npy", Good));
        BinaryPrimitives.WriteUInt32LittleEndian(Directory(zip).Slice(24, 4), 0xFFFF_FFFE);
        Refuses(zip, "claims 4294967294 bytes");
    }

    [TestMethod]
    [DataRow("(1024,)", "promises 1024 bytes"), DataRow("(200000, 1000)", "promises 200000000 bytes")]
    public void A_head_that_does_not_fit_its_packed_bytes_is_refused_before_they_are_unpacked(string shape, string expected)
    {
        // 300 MB of zeros that deflate to 300 kB.
        var zip = NpyBytes.Zip(CompressionLevel.Optimal, ("x.npy", NpyBytes.Npy("|u1", shape, new byte[300_000_000])));
        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", zip));
        var before = GC.GetTotalAllocatedBytes();
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => file.Open("x")).Message, expected);
        Assert.IsLessThan(4_000_000L, GC.GetTotalAllocatedBytes() - before);
    }

    [TestMethod]
    public void Nothing_is_unpacked_before_it_is_read()
    {
        var npy = NpyBytes.Npy("|u1", "(1000000, 300)", new byte[300_000_000]);
        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", NpyBytes.Zip(CompressionLevel.Optimal, ("x.npy", npy))));
        var before = GC.GetTotalAllocatedBytes();
        CollectionAssert.AreEqual(new long[] { 1_000_000, 300 }, file.Open("x").Dims.ToArray());
        Assert.IsLessThan(4_000_000L, GC.GetTotalAllocatedBytes() - before);
    }

    [TestMethod]
    public void A_directory_larger_than_any_is_refused_unread()
    {
        using var folder = new TempFolder();
        var path = folder.File("a.npz");
        using (var stream = File.Create(path))
        {
            stream.SetLength(1_000_000_000);
            stream.Position = stream.Length;
            stream.Write([.. "PK\x05\x06"u8, .. new byte[8], .. BitConverter.GetBytes(1_000_000_000), 0, 0, 0, 0, 0, 0]);
        }

        var before = GC.GetTotalAllocatedBytes();
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => new NpzFile(path)).Message, "its directory claims 1000000000 bytes");
        Assert.IsLessThan(4_000_000L, GC.GetTotalAllocatedBytes() - before);
    }

    [TestMethod]
    public void What_follows_the_end_of_the_zip_is_refused() => Refuses([.. NpyBytes.Zip(("x.npy", Good)), 0], "no .npz file");

    [TestMethod]
    public void Arrays_that_share_bytes_are_refused()
    {
        var zip = NpyBytes.Zip(("x.npy", Good), ("y.npy", Good));
        BinaryPrimitives.WriteUInt32LittleEndian(Directory(zip)[(46 + 5)..].Slice(42, 4), 1);
        Refuses(zip, "overlaps");
    }

    [TestMethod]
    public void Damaged_packed_bytes_fail_their_checksum()
    {
        var zip = NpyBytes.Zip(CompressionLevel.Optimal, ("x.npy", Good));
        Directory(zip)[16] ^= 1;
        Refuses(zip, "does not unpack");
    }

    [TestMethod]
    public void Encrypted_and_oddly_packed_arrays_are_named()
    {
        var zip = NpyBytes.Zip(("x.npy", Good));
        Directory(zip)[8] |= 1;
        Refuses(zip, "encrypted");
        zip = NpyBytes.Zip(("x.npy", Good));
        Directory(zip)[10] = 12;
        Refuses(zip, "method 12");
    }

    [TestMethod]
    public void Two_arrays_of_one_name_are_refused() => Refuses(NpyBytes.Zip(("x.npy", Good), ("x.npy", Good)), "two arrays named 'x'");

    [TestMethod]
    public void A_zip_comment_is_no_obstacle()
    {
        var zip = NpyBytes.Zip(("x.npy", Good));
        byte[] comment = [.. "PK\x05\x06 looks like the end record, and is not"u8];
        BinaryPrimitives.WriteUInt16LittleEndian(zip.AsSpan(zip.Length - 2), (ushort)comment.Length);
        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", [.. zip, .. comment]));
        Assert.HasCount(4, NpzFileTests.ReadAll(file.Open("x")));
    }

    private static Span<byte> Directory(byte[] zip) => zip.AsSpan(zip.AsSpan().IndexOf("PK\x01\x02"u8));

    private static void Refuses(byte[] npz, string expected)
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.npz", npz);
        var e = Assert.ThrowsExactly<DataException>(() =>
        {
            using var file = new NpzFile(path);
            foreach (var name in file.Names)
                NpzFileTests.ReadAll(file.Open(name));
        });
        StringAssert.Contains(e.Message, expected);
        Assert.IsFalse(e.Message.Contains('\n', StringComparison.Ordinal), e.Message);
    }
}
