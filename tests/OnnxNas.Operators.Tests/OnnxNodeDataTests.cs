using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>ONNX's own cases for the elementwise, reduction and data-movement operators.</summary>
[TestClass]
public sealed class OnnxNodeDataTests
{
    private static readonly string[] Folders = ["Elementwise", "Movement", "Reductions", "Generators"];

    // Cases that cannot agree, and why.
    private static readonly Dictionary<string, string> Skipped = new()
    {
        ["test_not_2d"] = "opset 1, older than served",
        ["test_not_3d"] = "opset 1, older than served",
        ["test_range_bfloat16_type_positive_delta"] = "opset 27, newer than tested",
        ["test_range_float_type_positive_delta"] = "opset 27, newer than tested",
    };

    public static IEnumerable<string> Cases { get; } = OnnxNodeCases.Of(
        OperatorRegistry.FamiliesOf(typeof(OperatorRegistry).Assembly)
            .Where(f => Folders.Any(folder => f.GetType().Namespace == $"OnnxNas.Operators.{folder}"))
            .SelectMany(f => f.Operators)
            .Select(d => d.Name)
            .ToHashSet());

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Cases_hold(string name)
    {
        if (Skipped.TryGetValue(name, out var reason))
            Assert.Inconclusive(reason);
        OnnxNodeCases.Check(name);
    }
}
