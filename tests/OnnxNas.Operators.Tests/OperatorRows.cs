using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>All rows of test data: whatever public static property of a test class gives some.</summary>
internal static class OperatorRows
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        .. typeof(OperatorRows).Assembly.GetTypes()
            .SelectMany(t => t.GetProperties())
            .Where(p => p.PropertyType == typeof(IEnumerable<OperatorCase>))
            .SelectMany(p => (IEnumerable<OperatorCase>)p.GetValue(null)!),
    ];

    /// <summary>The rows that run, by operator.</summary>
    public static ILookup<(string Domain, string OpType), OperatorCase> Running { get; } =
        All.Where(row => row.Refusal is null).ToLookup(row => (row.Domain, row.OpType));

    public static IEnumerable<OperatorCase> Of(OperatorDefinition definition) => Running[(definition.Domain, definition.Name)];
}
