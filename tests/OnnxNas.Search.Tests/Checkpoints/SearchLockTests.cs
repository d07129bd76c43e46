using System.Diagnostics;
using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Checkpoints;

[TestClass]
public sealed class SearchLockTests
{
    [TestMethod]
    public void A_folder_is_taken_once_and_goes_when_it_is_let_go()
    {
        using var temporary = new TemporaryFolder();
        var folder = temporary.File("c");
        var first = SearchLock.Take(folder);
        Assert.Contains("Another search is using", Assert.ThrowsExactly<CheckpointException>(() => SearchLock.Take(folder)).Message);
        using (SearchLock.Take(temporary.File("other")))
            first.Dispose();
        Assert.IsEmpty(Directory.GetFileSystemEntries(temporary.Path));
        SearchLock.Take(folder).Dispose();
        Assert.IsEmpty(Directory.GetFileSystemEntries(temporary.Path));
    }

    [TestMethod]
    public void A_folder_is_the_same_by_every_name()
    {
        using var temporary = new TemporaryFolder();
        Directory.CreateDirectory(temporary.File("real"));
        Directory.CreateSymbolicLink(temporary.File("link"), "real");
        using var held = SearchLock.Take(temporary.File("real", "c"));
        Assert.ThrowsExactly<CheckpointException>(() => SearchLock.Take(temporary.File("link", "c")));
    }

    [TestMethod]
    public void What_else_is_in_the_folder_stays_and_so_does_the_folder()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(temporary.File("checkpoint.json"), "a state");
        SearchLock.Take(temporary.Path).Dispose();
        Assert.IsTrue(File.Exists(temporary.File("checkpoint.json")));
        SearchLock.Take(temporary.Path).Dispose();
    }

    [TestMethod]
    public void Of_many_that_come_and_go_one_at_a_time_has_the_folder()
    {
        using var temporary = new TemporaryFolder();
        var (folder, inside, taken) = (temporary.File("c"), 0, 0);
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 200; i++)
            {
                try
                {
                    using var held = SearchLock.Take(folder);
                    Assert.AreEqual(1, Interlocked.Increment(ref inside));
                    Interlocked.Increment(ref taken);
                    Interlocked.Decrement(ref inside);
                }
                catch (CheckpointException e)
                {
                    Assert.Contains("Another search is using", e.Message);
                }
            }
        });
        Assert.IsGreaterThan(0, taken);
        Assert.IsFalse(Directory.Exists(folder));
    }

    [TestMethod]
    public void A_lock_ends_with_the_process_that_held_it()
    {
        if (OperatingSystem.IsWindows() || !File.Exists("/usr/bin/flock"))
            Assert.Inconclusive("There is no flock command here.");
        using var temporary = new TemporaryFolder();
        using (var other = Process.Start(new ProcessStartInfo("flock", ["--no-fork", temporary.File("lock"), "cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!)
        {
            other.StandardInput.WriteLine("it is held");
            other.StandardInput.Flush();
            Assert.AreEqual("it is held", other.StandardOutput.ReadLine());
            Assert.ThrowsExactly<CheckpointException>(() => SearchLock.Take(temporary.Path));
            other.Kill();
            other.WaitForExit();
        }

        SearchLock.Take(temporary.Path).Dispose();
        Directory.CreateDirectory(temporary.Path);
    }
}
