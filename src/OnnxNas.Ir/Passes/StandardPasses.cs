using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes;

/// <summary>Lists of passes. The order is a decision: each pass makes work for those after it.</summary>
public static class StandardPasses
{
    /// <summary>
    /// What a finished model gets: sorted, constants lifted and folded, identities and neutral operations gone, equal nodes merged,
    /// nothing dead. Weights count as constants, so it is not for a model that will be trained; <see cref="ToInferenceForm"/> is a step of its own.
    /// </summary>
    public static PassManager Cleanup(ITypeRules rules, IConstantEvaluator evaluator) => new(
    [
        new SortNodes(),
        new RemoveDeadNodes(),
        new LiftConstants(),
        new EliminateIdentities(rules),
        new FoldConstants(evaluator, rules),
        new SimplifyAlgebra(rules),
        new MergeEqualNodes(),
        new RemoveDeadNodes(),
    ]);
}
