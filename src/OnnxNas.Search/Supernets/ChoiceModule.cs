using OnnxNas.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary>
/// What a custom trainer puts in place of a choice. One module serves all markers of a label, so that they share its
/// parameters and draw together.
/// </summary>
public abstract class ChoiceModule
{
    /// <summary>The trainable tensors that decide the choice.</summary>
    public virtual IEnumerable<Parameter> ArchitectureParameters => [];

    /// <summary>Called once before each forward run, for drawing samples.</summary>
    public virtual void BeforeForward() { }

    /// <summary>
    /// Computes the choice's output from its candidates' outputs. Only the candidates that are read are computed:
    /// <paramref name="candidates"/><c>[k]</c> runs candidate k. They belong to the executor and must not be disposed.
    /// </summary>
    public abstract Tensor Forward(ILazyInputs candidates);

    /// <summary>Σ w_k · y_k over all candidates, as the built-in strategies mix them.</summary>
    /// <param name="weights"><c>[N]</c>, one a candidate.</param>
    /// <param name="candidates">All of them are computed.</param>
    protected static Tensor WeightedSum(Tensor weights, ILazyInputs candidates)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(candidates);
        // All are run before any is weighted, as by the operator: gradients are then added up in the same order.
        Tensor[] outputs = [.. Enumerable.Range(0, candidates.Count).Select(k => candidates[k])];
        return MixOperator.WeightedSum(weights.unbind(0), k => outputs[k]);
    }
}
