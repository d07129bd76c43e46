using System.IO.Enumeration;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>What the user says about what trains, as patterns of initializer names with <c>*</c> and <c>?</c>.</summary>
/// <param name="Freeze">Those that do not train.</param>
/// <param name="Train">Those that train although there is a reason against it, or <paramref name="Freeze"/> matches them.</param>
public sealed record TrainingPatterns(IReadOnlyList<string> Freeze, IReadOnlyList<string> Train)
{
    /// <summary>Nothing is said.</summary>
    public static TrainingPatterns None { get; } = new([], []);

    /// <summary>The first pattern of a list that a name matches, or null.</summary>
    internal static string? Match(IReadOnlyList<string> patterns, string name) => patterns.FirstOrDefault(p => FileSystemName.MatchesSimpleExpression(p, name, ignoreCase: false));

    /// <exception cref="UsageException">A pattern matches none of the names.</exception>
    internal void RequireMatches(IReadOnlyCollection<string> names)
    {
        foreach (var (verb, patterns) in new[] { ("freeze", Freeze), ("train", Train) })
        {
            if (patterns.FirstOrDefault(p => !names.Any(n => Match([p], n) is not null)) is { } pattern)
                throw new UsageException($"The pattern '{pattern}' of what to {verb} matches no float initializer of the model. Its names are {Some(names)}; 'inspect --json' lists those that do not train.");
        }
    }

    private static string Some(IReadOnlyCollection<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Take(8).Select(n => $"'{n}'")) + (names.Count > 8 ? $" and {names.Count - 8} more" : "");
}
