using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Nn;

/// <summary>ONNX's own cases for the operators of this folder.</summary>
[TestClass]
public sealed class OnnxNodeTests
{
    // Cases that cannot agree, and why.
    private static readonly Dictionary<string, string> Skipped = new()
    {
        ["test_training_dropout"] = "random numbers of another generator",
        ["test_training_dropout_mask"] = "random numbers of another generator",
        ["test_training_dropout_default"] = "random numbers of another generator",
        ["test_training_dropout_default_mask"] = "random numbers of another generator",
    };

    public static IEnumerable<string> Cases { get; } = OnnxNodeCases.Of(
        OperatorRegistry.FamiliesOf(typeof(OperatorRegistry).Assembly)
            .Where(f => f.GetType().Namespace == "OnnxNas.Operators.Nn")
            .SelectMany(f => f.Operators)
            .Select(d => d.Name)
            .ToHashSet());

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Cases_hold(string name)
    {
        if (Skipped.TryGetValue(name, out var reason))
            Assert.Inconclusive(reason);
        OnnxNodeCases.Check(name, training: name.Contains("training", StringComparison.Ordinal));
    }
}
