namespace OnnxNas.Ir.Passes.Import;

/// <summary>What operators say about training.</summary>
public interface IParameterRules
{
    /// <summary>Inputs that hold weights, which train in whichever way the file holds them; none for an operator that is not known.</summary>
    IReadOnlyList<int> ParameterInputs(Node node, IReadOnlyDictionary<string, int> opsets);

    /// <summary>Inputs that hold running statistics; none for an operator that is not known.</summary>
    IReadOnlyList<int> BufferInputs(Node node, IReadOnlyDictionary<string, int> opsets);

    /// <summary>Why no gradient of a node's outputs reaches an input of floating-point numbers; null where one does, or the operator is not known.</summary>
    string? WhyNoGradient(Node node, int input, IReadOnlyDictionary<string, int> opsets);
}
