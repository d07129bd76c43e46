using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OnnxNas.Cli.Reports;
using OnnxNas.Cli.Verification;
using OnnxNas.Search;
using OnnxNas.Search.Costs;

namespace OnnxNas.Cli.Tests.Reports;

/// <summary>Serializers that the compiler makes write the bytes that reflection would.</summary>
[TestClass]
public sealed class JsonTextTests
{
    private static readonly JsonSerializerOptions Reflected = new(JsonText.Options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
    private static readonly Dictionary<string, object> Names = new() { ["op \"é\" <"] = "conv3x3", ["inputs"] = new[] { "0", "2" }, ["none"] = Array.Empty<string>() };

    [TestMethod]
    public void Settings() => RequireSame(new SearchOptions { MaxMacs = "60%", Temperature = 1.5, Lr = double.NaN, Samples = 3, Unrolled = true });

    [TestMethod]
    public void A_summary() => RequireSame(new SearchSummary(
        "net.onnx", "darts", 1, "cpu", 2, 3, 4, 5, "6", 7.5, 8.25, 0.1, 99.125, Names, new("accuracy", null, 0.5, 1, double.PositiveInfinity, new Dictionary<string, double> { ["top-5"] = 1 / 3.0 }),
        1e-7, 10, 11, new Cost(1, 2), new Cost(3, 4), new(0.25, 0.5, null), [new(Names, 0.5, null, 1, 2)]));

    [TestMethod]
    public void A_ranking() => RequireSame<IReadOnlyList<RankedArchitecture>>([new(Names, 0.5, null, 0.25, 1, 2, 3.5), new(Names, null, 1, null, 1, 2, null)]);

    [TestMethod]
    public void A_verification() => RequireSame(new VerificationSummary([new("a/b", VerificationResult.Pass, 1e-9, ""), new("c", VerificationResult.Error, null, "why\n")]));

    [TestMethod]
    public void An_inspection()
    {
        using var bench = new Workbench();
        RequireSame(Inspection.Of(bench.Classifier(), []));
    }

    [TestMethod]
    public void A_setting_that_is_absent_keeps_its_default() =>
        Assert.AreEqual(new SearchOptions { Epochs = 7 }, JsonText.Settings(new() { ["epochs"] = 7 }));

    private static void RequireSame<T>(T value) => Assert.AreEqual(JsonSerializer.Serialize(value, Reflected), JsonText.Of(value));
}
