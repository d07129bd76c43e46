using OnnxNas.Search.Training;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class ScalarsTests
{
    [TestMethod]
    public void Nothing_in_the_search_makes_a_temporary_number() =>
        Assert.AreEqual("", string.Join('\n', TemporaryScalars.In(typeof(OneShotTrainer).Assembly)));
}
