namespace OnnxNas.Operators;

/// <summary>
/// One operator as the registry knows it.
/// </summary>
/// <param name="Name">The operator's name in its domain.</param>
/// <param name="Versions">Every since-version that is served, ascending, from the one in force at <see cref="OperatorRegistry.OldestOpset"/> on.</param>
/// <param name="Bind">Reads and checks a node's attributes.</param>
public sealed record OperatorDefinition(string Name, IReadOnlyList<int> Versions, Func<NodeReader, OnnxOperator> Bind)
{
    /// <summary>The operator's domain; "" for ai.onnx.</summary>
    public string Domain { get; init; } = "";
}

/// <summary>One file of operators. Implementations with a public parameterless constructor are found by reflection.</summary>
public interface IOperatorFamily
{
    /// <summary>The operators in the file.</summary>
    IEnumerable<OperatorDefinition> Operators { get; }
}
