using System.Text;
using OnnxNas.Ir;

namespace OnnxNas.Operators.Tests;

/// <summary>The operators of a registry as a table in Markdown.</summary>
internal static class OperatorTable
{
    private static readonly (string Name, IReadOnlyList<ElementType> Types)[] Groups =
    [
        ("all", TypeSets.All), ("floats", TypeSets.Floats), ("integers", TypeSets.Integers), ("signed integers", TypeSets.Signed), ("unsigned integers", TypeSets.Unsigned),
    ];

    public static string Of(OperatorRegistry registry)
    {
        var text = new StringBuilder("| operator | since-versions | types | gradient |\n|---|---|---|---|\n");
        foreach (var definition in registry.Definitions)
            text.Append($"| {definition.Name} | {Versions(definition)} | {Types(definition.Types)} | {Gradient(definition.Gradient)} |\n");
        return text.ToString();
    }

    private static string Versions(OperatorDefinition definition) =>
        string.Join(", ", definition.Versions) + (definition.Withdrawn is { } withdrawn ? $"; from {withdrawn.Since} on {withdrawn.Successor}" : "");

    private static string Types(IReadOnlyList<ElementType> types)
    {
        var parts = new List<string>();
        var left = types.ToHashSet();
        foreach (var (name, group) in Groups)
        {
            if (!group.All(left.Contains))
                continue;
            parts.Add(name);
            left.ExceptWith(group);
        }

        return string.Join(", ", parts.Concat(left.Order().Select(t => t.ToString().ToLowerInvariant())));
    }

    private static string Gradient(Gradient gradient) => gradient.Kind switch
    {
        GradientKind.Derivative => "yes",
        GradientKind.StraightThrough => $"straight-through: {gradient.Reason}",
        _ => $"no: {gradient.Reason}",
    };
}
