using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>ONNX's own cases for the operators outside Nn.</summary>
[TestClass]
public sealed class OnnxNodeDataTests
{
    private static readonly string[] Folders = ["Elementwise", "Movement", "Reductions", "Generators", "Recurrent", "ControlFlow", "Attention", "Quantization", "Signal", "Random", "Sampling"];

    // Cases that cannot agree, and why.
    private static readonly Dictionary<string, string> Skipped = new()
    {
        ["test_bernoulli_double"] = "random numbers of another generator",
        ["test_bernoulli_double_expanded"] = "random numbers of another generator",
        ["test_bernoulli_expanded"] = "random numbers of another generator",
        ["test_bernoulli_seed"] = "random numbers of another generator",
        ["test_bernoulli_seed_expanded"] = "random numbers of another generator",
        ["test_if_opt"] = "sequences and optionals are not executed",
        ["test_if_seq"] = "sequences are not executed",
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
