namespace OnnxNas.Ir.Passes;

/// <summary>Computes single nodes for <see cref="FoldConstants"/>.</summary>
public interface IConstantEvaluator
{
    /// <summary>
    /// The outputs of a node, in order, or null where it cannot be computed here. An omitted input is null; an omitted output may be.
    /// </summary>
    /// <param name="node">The node: an operator of ai.onnx without subgraphs and randomness.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="opsets">The operator sets in force: domain to version.</param>
    IReadOnlyList<TensorData?>? Evaluate(Node node, IReadOnlyList<TensorData?> inputs, IReadOnlyDictionary<string, int> opsets);
}
