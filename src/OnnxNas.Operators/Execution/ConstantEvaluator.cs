using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Operators.Native;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// Computes nodes of constants, for <see cref="FoldConstants"/>. What a node takes is worked out before it is computed; those that take much are left alone,
/// and so are all others once the work of an evaluator's life is done.
/// </summary>
/// <param name="registry">The operators.</param>
public sealed class ConstantEvaluator(OperatorRegistry registry) : IConstantEvaluator
{
    // Room for the scales, indices and small tables that are folded, and for what kernels make on the way.
    private const double MostBytes = 32 << 20;

    // Less than a second, in all.
    private double stepsLeft = 5e9;

    /// <inheritdoc/>
    public IReadOnlyList<TensorData?>? Evaluate(Node node, IReadOnlyList<TensorData?> inputs, IReadOnlyDictionary<string, int> opsets)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(inputs);
        TorchRuntime.EnsureLoaded();
        try
        {
            var bound = registry.Bind(node, opsets);
            if (!TakesLittle(node, bound, inputs))
                return null;
            using var scope = NewDisposeScope();
            using var off = no_grad();
            var outputs = bound.Run([.. inputs.Select(i => i?.ToTorch())], new(false, node.Outputs.Count));
            return [.. outputs.Select(o => o?.ToTensorData())];
        }
        catch (UnsupportedOperatorException)
        {
            return null; // The node stays as it is.
        }
    }

    private bool TakesLittle(Node node, OnnxOperator bound, IReadOnlyList<TensorData?> inputs)
    {
        var known = inputs.Select(i => i is null ? null : new InferredValue(new TensorType(i.Type, Shape.Of(i.Dims)), KnownElements.Of(i))).ToList();
        var context = new InferenceContext(node, known, inputs);
        var work = NodeWork.Of(bound, context, bound.Infer(context));
        if (!(work.Bytes <= MostBytes) || !(work.Steps <= stepsLeft))
            return false;
        stepsLeft -= work.Steps;
        return true;
    }
}
