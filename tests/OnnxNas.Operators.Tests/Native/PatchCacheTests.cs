using OnnxNas.Operators.Native;

namespace OnnxNas.Operators.Tests.Native;

[TestClass]
public sealed class PatchCacheTests
{
    private static readonly byte[] Content = [1, 2, 3];
    private readonly DirectoryInfo temporary = Directory.CreateTempSubdirectory();

    private string Folder => Path.Combine(temporary.FullName, "cache", "native");

    [TestCleanup]
    public void Delete() => temporary.Delete(recursive: true);

    [TestMethod]
    public void A_file_is_written_whole_and_nothing_else_stays()
    {
        var path = new PatchCache(Folder).Store("a.so", Content);
        CollectionAssert.AreEqual(Content, File.ReadAllBytes(path));
        CollectionAssert.AreEqual(new[] { path }, Directory.GetFileSystemEntries(Folder));
    }

    [TestMethod]
    public void A_file_that_is_there_is_reused()
    {
        var path = new PatchCache(Folder).Store("a.so", Content);
        var longAgo = new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, longAgo);
        new PatchCache(Folder).Store("a.so", Content);
        Assert.AreEqual(longAgo, File.GetLastWriteTimeUtc(path));
    }

    [TestMethod]
    public void A_file_with_other_content_is_replaced()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllBytes(Path.Combine(Folder, "a.so"), [1, 2, 9]);
        CollectionAssert.AreEqual(Content, File.ReadAllBytes(new PatchCache(Folder).Store("a.so", Content)));
    }

    [TestMethod]
    public void The_folder_is_closed_to_others_even_if_it_was_open()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Windows has no file modes.");
            return;
        }

        Directory.CreateDirectory(Folder, (UnixFileMode)0b111_111_111);
        new PatchCache(Folder).Store("a.so", Content);
        Assert.AreEqual((UnixFileMode)0b111_000_000, File.GetUnixFileMode(Folder));
    }

    [TestMethod]
    public void A_folder_that_cannot_be_made_is_named_with_the_next_step()
    {
        File.WriteAllText(Path.Combine(temporary.FullName, "cache"), "a file where a folder should be");
        var error = Assert.ThrowsExactly<NativeLibraryException>(() => new PatchCache(Folder).Store("a.so", Content));
        Assert.Contains(Folder, error.Message);
        Assert.Contains("XDG_CACHE_HOME", error.Message);
    }
}
