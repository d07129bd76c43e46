namespace OnnxNas.Ir.Passes;

/// <summary>
/// A rewrite of a whole model that keeps what the model computes. It changes nothing the second time.
/// Passes see the main graph and the subgraphs of its nodes; the bodies of model-local functions are left alone.
/// Graph inputs are never renamed or removed, graph outputs keep name and order.
/// </summary>
public abstract class Pass
{
    /// <summary>The name reports show.</summary>
    public string Name => GetType().Name;

    /// <summary>Rewrites the model; returns whether anything changed.</summary>
    public bool Run(Model model) => Apply(model) > 0;

    /// <summary>Rewrites the model; returns the number of changes, 0 where there was nothing to do.</summary>
    public abstract int Apply(Model model);
}
