using OnnxNas.Ir;

namespace OnnxNas.Search.Objectives;

/// <summary>Whether a value can hold nothing but numbers in 0 … 1, as far as the operators at its end tell.</summary>
internal static class ProbabilityTrace
{
    private const int MaxDepth = 30;

    /// <summary>Whether every number comes out of a Softmax, Sigmoid or HardSigmoid, by way of nodes that move, choose, join or multiply such numbers.</summary>
    public static bool AreAll(Value value) => AreAll(value, MaxDepth, []);

    private static bool AreAll(Value value, int depth, Dictionary<Value, bool> known)
    {
        if (depth == 0 || value.Producer is not { } node)
            return false;
        if (known.TryGetValue(value, out var answer))
            return answer;
        return known[value] = node.OpType switch
        {
            "Softmax" or "Sigmoid" or "HardSigmoid" => true,
            "Identity" or "Dropout" or "Cast" or "Clip" or "Transpose" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Slice" or "Gather" => AreAll(node.Inputs[0]!, depth - 1, known),
            // One candidate that ends in probabilities is one too many.
            "LayerChoice" or "InputChoice" => node.Inputs.Any(i => i is not null && AreAll(i, depth - 1, known)),
            "Concat" or "Mul" or "Max" or "Min" or "Mean" => node.Inputs.All(i => i is not null && AreAll(i, depth - 1, known)),
            // 1 − p.
            "Sub" => node.Inputs[0]!.Initializer is not null && AreAll(node.Inputs[1]!, depth - 1, known),
            _ => false,
        };
    }
}
