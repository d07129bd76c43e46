using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>The registry against the table of ONNX's operators.</summary>
[TestClass]
public sealed class RegistryVersionsTests
{
    [TestMethod]
    public void Every_definition_serves_each_version_from_the_oldest_opset_to_the_newest()
    {
        var table = File.ReadLines(RepositoryFiles.Shared("facts", "onnx-operators.tsv")).Skip(1)
            .Select(line => line.Split('\t'))
            .Where(cells => cells[0] == "ai.onnx")
            .ToLookup(cells => cells[1], cells => (Since: int.Parse(cells[2]), Deprecated: cells[3] == "1"));
        var wrong = new List<string>();
        foreach (var definition in OperatorRegistry.Default.Definitions.Where(d => d.Domain.Length == 0))
        {
            var all = table[definition.Name].OrderBy(v => v.Since).ToList();
            var inForce = all.LastOrDefault(v => v.Since <= OperatorRegistry.OldestOpset).Since;
            var inRange = all.Where(v => v.Since >= inForce && v.Since <= OperatorRegistry.NewestOpset).ToList();
            // A deprecated version may be served; nothing but the table's versions may.
            var missing = inRange.Where(v => !v.Deprecated).Select(v => v.Since).Except(definition.Versions);
            var unknown = definition.Versions.Except(inRange.Select(v => v.Since));
            if (missing.Any() || unknown.Any())
                wrong.Add($"{definition.Name}: serves {string.Join(',', definition.Versions)}, the table has {string.Join(',', inRange.Select(v => v.Since))}");
        }

        Assert.IsEmpty(wrong, string.Join('\n', wrong));
    }

    [TestMethod]
    public void Every_definition_has_rows_of_test_data()
    {
        var untested = OperatorRegistry.Default.Definitions.Where(d => !OperatorRows.Of(d).Any()).Select(d => d.Name);
        Assert.IsEmpty(untested, $"No rows for {string.Join(", ", untested)}.");
    }
}
