using OnnxNas.Operators.Native;
using OnnxNas.Testing;
using TorchSharp;

namespace OnnxNas.Operators.Tests.Native;

[TestClass]
public sealed class TorchRuntimeTests
{
    [TestMethod]
    public void Torch_computes()
    {
        TorchRuntime.EnsureLoaded();
        using var ones = torch.ones(2, 3);
        using var sum = ones.sum();
        Assert.AreEqual(6f, sum.item<float>());
        Assert.StartsWith(TorchRuntime.LibTorchVersion, torch.__version__);
    }

    [TestMethod]
    public void A_fresh_process_with_an_empty_cache_loads_torch()
    {
        var cache = Directory.CreateTempSubdirectory();
        try
        {
            var (exitCode, output) = RunFresh(nameof(Torch_computes), cache.FullName);
            Assert.AreEqual(0, exitCode, output);
        }
        finally
        {
            cache.Delete(recursive: true);
        }
    }

    [TestMethod]
    public void A_cache_that_cannot_be_written_gives_the_next_step_and_no_copies()
    {
        TorchRuntime.EnsureLoaded();
        var maps = OperatingSystem.IsLinux() ? File.ReadAllText("/proc/self/maps") : "";
        if (!maps.Contains("onnxnas/native/libLibTorchSharp-", StringComparison.Ordinal))
        {
            Assert.Inconclusive("This system's libstdc++ needs no patched copy.");
        }

        var file = Path.GetTempFileName();
        try
        {
            using var decoys = new TemporaryFolder();
            DecoyLibraries.WriteTo(decoys.Path);
            foreach (var libraries in (string[])["", decoys.Path])
            {
                var (exitCode, output) = FreshProcess.RunTest(
                    typeof(TorchRuntimeTests), nameof(Torch_alone_computes), ("XDG_CACHE_HOME", file), ("LD_LIBRARY_PATH", libraries));
                Assert.AreNotEqual(0, exitCode, output);
                Assert.Contains("Set XDG_CACHE_HOME", output);
                Assert.DoesNotContain("LoadNativeBackend", output, "TorchSharp's own fallback ran");
            }

            Assert.IsFalse(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")), "TorchSharp copied libtorch.");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [TestMethod]
    public void Torch_alone_computes()
    {
        using var ones = torch.ones(4);
        Assert.AreEqual(4, ones.numel());
    }

    [TestMethod]
    public void Another_libtorch_on_the_library_path_is_not_taken()
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        DecoyLibraries.WriteTo(folder.Path);
        foreach (var test in (string[])[nameof(Torch_computes), nameof(Torch_alone_computes)])
        {
            var (exitCode, output) = FreshProcess.RunTest(typeof(TorchRuntimeTests), test, ("LD_LIBRARY_PATH", folder.Path));
            Assert.AreEqual(0, exitCode, output);
        }
    }

    [TestMethod]
    public void Another_libtorch_that_is_loaded_already_is_named_with_the_next_step()
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        var other = DecoyLibraries.WriteHarmless(folder.Path, "libc10.so");
        var (exitCode, output) = FreshProcess.RunTest(typeof(TorchRuntimeTests), nameof(Torch_computes), ("LD_PRELOAD", other));
        Assert.AreNotEqual(0, exitCode, output);
        Assert.Contains($"in this process already: {other}", output);
        Assert.Contains("take it out of LD_PRELOAD", output);
        Assert.DoesNotContain(nameof(TypeInitializationException), output);
    }

    [TestMethod]
    public void A_decoy_ends_the_process_that_loads_it()
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        DecoyLibraries.WriteTo(folder.Path);
        foreach (var name in DecoyLibraries.Names)
            Assert.AreEqual(DecoyLibraries.ExitCode, FreshProcess.Run("/bin/true", [], ("LD_PRELOAD", folder.File(name))).ExitCode, name);
    }

    [TestMethod]
    public void No_bin_folder_holds_a_copy_of_libtorch()
    {
        var copies = Directory.EnumerateFiles(RepositoryFiles.Root, "*torch_cpu.*", SearchOption.AllDirectories)
            .Where(path => path.Split(Path.DirectorySeparatorChar).Contains("bin"));
        Assert.AreEqual("", string.Join(' ', copies));
    }

    private static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Libraries are searched by LD_LIBRARY_PATH on Linux only.");
    }

    private static (int ExitCode, string Output) RunFresh(string test, string cache) => FreshProcess.RunTest(typeof(TorchRuntimeTests), test, ("XDG_CACHE_HOME", cache));
}
