namespace OnnxNas.Ir.Passes.Import;

/// <summary>What a pass of the import did about what it found.</summary>
public enum FindingKind
{
    /// <summary>Nothing: it is said for the user to know.</summary>
    Noticed,

    /// <summary>The model was changed.</summary>
    Changed,

    /// <summary>The model was left as it is, since it cannot be changed without a risk to its answers.</summary>
    Refused,
}

/// <summary>Something the import of a model found.</summary>
/// <param name="Pass">The pass that found it.</param>
/// <param name="Kind">What was done about it.</param>
/// <param name="Subjects">The names of the nodes or values it concerns, in the order of the graph.</param>
/// <param name="Message">What was found and done, as a sentence that does not repeat the subjects.</param>
public sealed record Finding(string Pass, FindingKind Kind, IReadOnlyList<string> Subjects, string Message);
