using System.Text.Json.Nodes;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>All cases of the ONNX project's node tests, in one run of <c>verify</c>.</summary>
[TestClass]
public sealed class NodeCasesTests
{
    private const double Wanted = 0.92;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void No_case_fails_and_nearly_all_that_are_of_numbers_pass()
    {
        var folders = Directory.GetDirectories(RepositoryFiles.Shared("onnx-node-tests")).Order(StringComparer.Ordinal).ToArray();
        var (code, output, _) = Workbench.Run(["verify", .. folders, "--json"]);
        var summary = JsonNode.Parse(output)!;
        Assert.AreEqual((0, 0, 0), (code, (int)summary["failed"]!, (int)summary["errors"]!), string.Join('\n', summary["results"]!.AsArray().Where(r => (string)r!["status"]! is "fail" or "error")));
        var passed = summary["results"]!.AsArray().Where(r => (string)r!["status"]! == "pass").Select(r => (string)r!["path"]!).ToHashSet();
        var numeric = folders.Where(IsNumeric).ToList();
        var numericPassed = numeric.Count(passed.Contains);
        TestContext.WriteLine($"{passed.Count} of {folders.Length} cases pass, {numericPassed} of {numeric.Count} with tensors of numbers and bools only");
        foreach (var folder in numeric.Where(f => !passed.Contains(f)))
            TestContext.WriteLine($"not passed: {Path.GetFileName(folder)}");
        Assert.IsGreaterThanOrEqualTo(Wanted * numeric.Count, numericPassed);
    }

    // Whether every input and output is a tensor of whole-byte integers, bools, or floats of 16 bits or more.
    private static bool IsNumeric(string folder)
    {
        var graph = OnnxFile.Read(Path.Combine(folder, "model.onnx")).Graph;
        return graph.Inputs.Concat(graph.Outputs).All(v => v.Type is TensorType { Element: var e } && (e.IsFloatingPoint() || e.IsInteger() || e == ElementType.Bool));
    }
}
