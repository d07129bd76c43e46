using System.Text;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Serialization;

[TestClass]
public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TestMethod]
    public void A_file_is_replaced_whole()
    {
        File.WriteAllText(folder.File("f"), "old");
        AtomicFile.Write(folder.File("f"), stream =>
        {
            stream.Write("ne"u8);
            Assert.AreEqual("old", File.ReadAllText(folder.File("f")));
            stream.Write("w"u8);
        });
        Assert.AreEqual("new", File.ReadAllText(folder.File("f")));
        Assert.HasCount(1, Directory.GetFiles(folder.Path));
    }

    [TestMethod]
    public void A_full_disk_leaves_the_old_file_and_nothing_else()
    {
        File.WriteAllText(folder.File("f"), "old");
        var error = Assert.ThrowsExactly<ModelFormatException>(() => AtomicFile.Write(folder.File("f"), stream =>
        {
            stream.Write("half"u8);
            throw new IOException("No space left on device.");
        }));
        StringAssert.Contains(error.Message, folder.File("f"));
        StringAssert.Contains(error.Message, "No space left on device");
        Assert.AreEqual("old", File.ReadAllText(folder.File("f")));
        Assert.HasCount(1, Directory.GetFiles(folder.Path));
    }

    [TestMethod]
    public void An_error_of_the_writer_passes_through_and_leaves_nothing()
    {
        Assert.ThrowsExactly<DecoderFallbackException>(() => AtomicFile.Write(folder.File("f"), _ => throw new DecoderFallbackException()));
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    public void A_folder_that_is_not_there_is_named()
    {
        var error = Assert.ThrowsExactly<ModelFormatException>(() => AtomicFile.Write(folder.File("no", "f"), _ => { }));
        StringAssert.Contains(error.Message, folder.File("no", "f"));
    }
}
