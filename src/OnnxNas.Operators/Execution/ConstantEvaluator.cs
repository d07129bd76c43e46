using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Operators.Native;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>Computes nodes of constants, for <see cref="FoldConstants"/>.</summary>
/// <param name="registry">The operators.</param>
/// <param name="keepWeights">Whether nodes over floats are left alone, so that what may be trained keeps its name.</param>
public sealed class ConstantEvaluator(OperatorRegistry registry, bool keepWeights = false) : IConstantEvaluator
{
    /// <inheritdoc/>
    public IReadOnlyList<TensorData?>? Evaluate(Node node, IReadOnlyList<TensorData?> inputs, IReadOnlyDictionary<string, int> opsets)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(inputs);
        if (keepWeights && inputs.Any(i => i is { ElementCount: > 1 } && i.Type.IsFloatingPoint()))
            return null;
        TorchRuntime.EnsureLoaded();
        try
        {
            using var scope = NewDisposeScope();
            using var off = no_grad();
            var outputs = registry.Bind(node, opsets).Run([.. inputs.Select(i => i?.ToTorch())], new(false, node.Outputs.Count));
            return [.. outputs.Select(o => o?.ToTensorData())];
        }
        catch (UnsupportedOperatorException)
        {
            return null; // The node stays as it is.
        }
    }
}
