using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>Which derivatives the rows compare with finite differences, by operator and input.</summary>
[TestClass]
public sealed class GradientTableTests
{
    private const double MostSkipped = 0.05;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public void Every_operator_with_a_derivative_is_checked_by_nearly_every_input()
    {
        var table = OperatorRegistry.Default.Definitions.Where(d => d.Gradient.Kind == GradientKind.Derivative).Select(d => (d.Name, Inputs: Inputs(d))).ToList();
        TestContext.WriteLine($"{"operator",-26} {"inputs checked",-16} skipped");
        foreach (var (name, inputs) in table)
        {
            var skipped = inputs.Where(i => i.Value is not null).Select(i => $"{i.Key}: {i.Value}");
            TestContext.WriteLine($"{name,-26} {string.Join(' ', inputs.Where(i => i.Value is null).Select(i => i.Key)),-16} {string.Join("; ", skipped)}".TrimEnd());
        }

        var all = table.SelectMany(o => o.Inputs.Values).ToList();
        var skips = all.Count(reason => reason is not null);
        var bare = table.Where(o => o.Inputs.Values.All(reason => reason is not null)).Select(o => o.Name).ToList();
        TestContext.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{table.Count} operators with a derivative, {table.Count - bare.Count} checked, {bare.Count} skipped; {all.Count} inputs, {all.Count - skips} checked, {skips} skipped ({(double)skips / all.Count:P1})."));
        Assert.IsEmpty(bare, $"No row checks a gradient of {string.Join(", ", bare)}. Add one, or say in the operator's file why it has none.");
        Assert.IsLessThanOrEqualTo(MostSkipped, (double)skips / all.Count, "Too many inputs are skipped.");
    }

    // The inputs of floating-point numbers that rows have: null where a row compares a gradient other than 0 with finite differences, else why none does.
    private static SortedDictionary<int, string?> Inputs(OperatorDefinition definition)
    {
        var reasons = new SortedDictionary<int, string?>();
        foreach (var row in OperatorRows.Of(definition))
        {
            foreach (var index in Enumerable.Range(0, row.Inputs.Count).Where(i => row.Inputs[i] is { ElementCount: > 0 } data && data.Type.IsFloatingPoint()))
                reasons[index] = row.NoGradient.GetValueOrDefault(index) ?? reasons.GetValueOrDefault(index) ?? Reason(row, index);
        }

        foreach (var row in OperatorRows.Of(definition).Where(row => reasons.Any(r => r.Value is not null && OperatorHarness.ChecksGradient(row, r.Key))))
        {
            foreach (var index in OperatorHarness.CheckGradients(row))
                reasons[index] = null;
        }

        return reasons;
    }

    private static string Reason(OperatorCase row, int index) =>
        row.NoGradients ?? (row.Constants.Contains(index) ? "a constant of its rows" : "no row has a gradient by it other than 0");
}
