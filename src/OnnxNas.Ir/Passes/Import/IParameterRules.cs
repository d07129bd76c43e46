namespace OnnxNas.Ir.Passes.Import;

/// <summary>Which inputs of nodes training changes.</summary>
public interface IParameterRules
{
    /// <summary>Inputs that are trained when they are float constants; none for an operator that is not known.</summary>
    IReadOnlyList<int> ParameterInputs(Node node, IReadOnlyDictionary<string, int> opsets);

    /// <summary>Inputs that hold running statistics; none for an operator that is not known.</summary>
    IReadOnlyList<int> BufferInputs(Node node, IReadOnlyDictionary<string, int> opsets);
}
