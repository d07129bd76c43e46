using System.Runtime.InteropServices;
using OnnxNas.Operators.Native;

namespace OnnxNas.Operators.Tests.Native;

[TestClass]
public sealed class NativePlatformTests
{
    [TestMethod]
    [DataRow("linux-x64", Architecture.X64, "libtorch-cpu-linux-x64", "libLibTorchSharp.so")]
    [DataRow("debian.12-x64", Architecture.X64, "libtorch-cpu-linux-x64", "libLibTorchSharp.so")]
    [DataRow("win-x64", Architecture.X64, "libtorch-cpu-win-x64", "LibTorchSharp.dll")]
    [DataRow("osx-arm64", Architecture.Arm64, "libtorch-cpu-osx-arm64", "libLibTorchSharp.dylib")]
    public void Systems_that_have_libtorch(string rid, Architecture architecture, string package, string bridge)
    {
        var platform = NativePlatform.Of(rid, architecture);
        Assert.AreEqual(package, platform.Package);
        Assert.AreEqual(bridge, platform.FileOf(NativePlatform.Bridge));
    }

    [TestMethod]
    [DataRow("linux-arm64", Architecture.Arm64)]
    [DataRow("linux-musl-x64", Architecture.X64)]
    [DataRow("alpine.3.20-x64", Architecture.X64)]
    [DataRow("win-arm64", Architecture.Arm64)]
    [DataRow("win-x86", Architecture.X86)]
    [DataRow("osx-x64", Architecture.X64)]
    [DataRow("freebsd-x64", Architecture.X64)]
    public void Systems_that_do_not_are_named_with_those_that_do(string rid, Architecture architecture)
    {
        var error = Assert.ThrowsExactly<NativeLibraryException>(() => NativePlatform.Of(rid, architecture));
        Assert.Contains(rid, error.Message);
        Assert.Contains("Debian 12", error.Message);
        Assert.AreEqual(rid.Contains("musl", StringComparison.Ordinal) || rid.StartsWith("alpine", StringComparison.Ordinal), error.Message.Contains("Alpine", StringComparison.Ordinal));
    }
}
