using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Native;

/// <summary>What the project file says of where libtorch lies.</summary>
[TestClass]
public sealed class LibTorchFolderTests
{
    [TestMethod]
    [DataRow("/packages")]
    [DataRow("/packages/")]
    public void The_package_folder_may_end_with_a_slash_or_not(string root)
    {
        var project = Path.Combine(RepositoryFiles.Root, "src", "OnnxNas.Operators", "OnnxNas.Operators.csproj");
        var (exitCode, output) = FreshProcess.Run("dotnet", ["msbuild", project, "-getProperty:LibTorchFolder", $"-p:NuGetPackageRoot={root}"]);
        Assert.AreEqual(0, exitCode, output);
        Assert.StartsWith("/packages/libtorch-cpu-", output);
    }
}
