using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

[TestClass]
public sealed class ScalarsTests
{
    [TestMethod]
    public void Nothing_in_the_tool_makes_a_temporary_number() =>
        Assert.AreEqual("", string.Join('\n', TemporaryScalars.In(typeof(CommandLine).Assembly)));
}
