using OnnxNas.Ir;

namespace OnnxNas.Operators;

/// <summary>
/// One operator as the registry knows it.
/// </summary>
/// <param name="Name">The operator's name in its domain.</param>
/// <param name="Versions">Every since-version that is served, ascending, from the one in force at <see cref="OperatorRegistry.OldestOpset"/> on.</param>
/// <param name="Bind">Reads and checks a node's attributes.</param>
public sealed record OperatorDefinition(string Name, IReadOnlyList<int> Versions, Func<NodeReader, OnnxOperator> Bind)
{
    private readonly Gradient? gradient;

    /// <summary>The operator's domain; "" for ai.onnx.</summary>
    public string Domain { get; init; } = "";

    /// <summary>Element types of the tensors it computes with, or makes where it takes none; of its newest version.</summary>
    public IReadOnlyList<ElementType> Types { get; init; } = TypeSets.Floats;

    /// <summary>What backpropagation gets from it.</summary>
    public Gradient Gradient
    {
        get => gradient ?? (Types.Any(ElementTypes.IsFloatingPoint) ? Gradient.Derivative : Gradient.None("takes no floating-point numbers"));
        init => gradient = value;
    }

    /// <summary>Inputs for which random data would be no use, or would end the process that another runtime runs in, and what is good there.</summary>
    public IReadOnlyList<InputRange> Ranges { get; init; } = [];

    /// <summary>The opset in which ONNX withdrew it, and the operator to use from there on; null for all others.</summary>
    public (int Since, string Successor)? Withdrawn { get; init; }
}

/// <summary>One file of operators. Implementations with a public parameterless constructor are found by reflection.</summary>
public interface IOperatorFamily
{
    /// <summary>The operators in the file.</summary>
    IEnumerable<OperatorDefinition> Operators { get; }
}
