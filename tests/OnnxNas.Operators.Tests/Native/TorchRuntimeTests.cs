using System.Diagnostics;
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
            var (exitCode, output) = RunFresh(nameof(Torch_alone_computes), file);
            Assert.AreNotEqual(0, exitCode, output);
            Assert.Contains("Set XDG_CACHE_HOME", output);
            Assert.DoesNotContain("LoadNativeBackend", output, "TorchSharp's own fallback ran");
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
    public void No_bin_folder_holds_a_copy_of_libtorch()
    {
        var copies = Directory.EnumerateFiles(RepositoryFiles.Root, "*torch_cpu.*", SearchOption.AllDirectories)
            .Where(path => path.Split(Path.DirectorySeparatorChar).Contains("bin"));
        Assert.AreEqual("", string.Join(' ', copies));
    }

    /// <summary>Runs one test of this class in a process of its own.</summary>
    private static (int ExitCode, string Output) RunFresh(string test, string cache)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add(typeof(TorchRuntimeTests).Assembly.Location);
        }

        start.ArgumentList.Add("--filter");
        start.ArgumentList.Add($"FullyQualifiedName={typeof(TorchRuntimeTests).FullName}.{test}");
        start.Environment["XDG_CACHE_HOME"] = cache;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
