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
}
