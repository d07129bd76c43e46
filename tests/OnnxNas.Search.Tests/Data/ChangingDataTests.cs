using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Data;

/// <summary>Data files that another program writes to while they are read.</summary>
[TestClass]
public sealed class ChangingDataTests
{
    private const int Large = 70 << 20;

    [TestMethod]
    [DataRow(0), DataRow(1000), DataRow(Large / 2), DataRow(Large)]
    public void A_large_array_that_is_cut_short_or_overwritten_is_an_error_and_no_zeros(int length)
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.npz", NpyBytes.Zip(("x.npy", NpyBytes.Npy("|u1", $"({Large},)", Ones(Large)))));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(-9));
        using var file = new NpzFile(path);
        var (array, sample) = (file.Open("x"), new byte[100]);
        array.Read(0, sample);
        Change(path, length);
        foreach (var offset in (long[])[0, Large / 2, Large - 100])
            StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => array.Read(offset, sample)).Message, "changed");
    }

    [TestMethod]
    public void A_small_array_is_as_it_was_when_it_was_first_read()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.npz", NpyBytes.Zip(("x.npy", NpyBytes.Npy("|u1", "(5000,)", Ones(5000)))));
        using var file = new NpzFile(path);
        var all = NpzFileTests.ReadAll(file.Open("x"));
        Change(path, 0);
        CollectionAssert.AreEqual(all, NpzFileTests.ReadAll(file.Open("x")));
    }

    [TestMethod]
    public void A_small_array_that_is_cut_short_before_it_was_read_is_an_error()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.npz", NpyBytes.Zip(("x.npy", NpyBytes.Npy("|u1", "(5000,)", Ones(5000)))));
        using var file = new NpzFile(path);
        var array = file.Open("x");
        Change(path, 0);
        Assert.ThrowsExactly<DataException>(() => NpzFileTests.ReadAll(array));
    }

    [TestMethod]
    public void What_is_no_regular_file_is_refused_at_once()
    {
        using var folder = new TempFolder();
        foreach (var path in SpecialFiles.MakeAll(kind => folder.File(kind + ".npz")))
            Assert.ThrowsExactly<DataException>(() => DatasetReader.Read(path, ["x"]), path);
    }

    private static byte[] Ones(int count)
    {
        var ones = new byte[count];
        ones.AsSpan().Fill(1);
        return ones;
    }

    // In place, as numpy.savez to the same name does.
    private static void Change(string path, int length)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
        file.WriteByte(0);
    }
}
