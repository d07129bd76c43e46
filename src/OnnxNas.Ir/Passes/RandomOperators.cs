namespace OnnxNas.Ir.Passes;

/// <summary>Operators of ai.onnx whose result is not a function of their inputs.</summary>
internal static class RandomOperators
{
    private static readonly HashSet<string> Names =
        ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"];

    /// <summary>Whether two runs of the node may differ.</summary>
    public static bool Contains(Node node) => Names.Contains(node.OpType);
}
