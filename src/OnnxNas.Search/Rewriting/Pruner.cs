using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Rewriting;

/// <summary>Cuts the plain model of one architecture out of a marked model.</summary>
public static class Pruner
{
    /// <summary>
    /// The plain model, with the weights the marked model holds, still in the form that trains: no marker, no dead node, nothing a decided
    /// choice leaves behind (multiplications by zero, additions of zero). The marked model is not touched. Inputs and outputs keep their names and types.
    /// </summary>
    /// <exception cref="ChoiceException">The architecture does not fit the model.</exception>
    public static Model Prune(Model marked, Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(marked);
        var model = marked.Clone();
        // What a pass computes from here on is no weight.
        TrainingDecision.Ensure(model, SupernetOperators.Registry);
        ChoiceRewriter.Decide(SearchSpace.Read(model), architecture);
        RemoveTraces(model);
        var registry = SupernetOperators.Registry;
        var declared = new DeclaredOutputs(model.Graph);
        new PassManager(
        [
            new LiftConstants(),
            new RemoveDeadNodes(),
            new EliminateIdentities(registry),
            new FoldConstants(new ConstantEvaluator(registry), registry, keepWeights: true),
            new SimplifyAlgebra(registry, keepWeights: true),
            new MergeEqualNodes(),
        ]).RunToFixpoint(model);
        ShapeInference.Run(model, registry);
        declared.Restore();
        return model;
    }

    /// <summary>Puts a plain model into the form that is written: the outputs of its file, BatchNormalization and Dropout as at inference.</summary>
    public static void Finish(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        TrainingForm.Restore(model.Graph);
        var registry = SupernetOperators.Registry;
        var declared = new DeclaredOutputs(model.Graph);
        new PassManager(
        [
            new ToInferenceForm(),
            new EliminateIdentities(registry),
            new FoldConstants(new ConstantEvaluator(registry), registry),
            new RemoveDeadNodes(),
            new DropTrailingInputs(),
        ]).RunToFixpoint(model);
        ShapeInference.Run(model, registry);
        declared.Restore();
    }

    /// <summary>Requires that nothing of the marker format is left.</summary>
    /// <exception cref="ChoiceException">Something is.</exception>
    public static void RequirePlain(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var left = model.Graph.Nodes.FirstOrDefault(n => IsOurs(n.Domain));
        if (left is not null)
            throw new ChoiceException($"{left} is left in the pruned model, which must be plain. This is a fault of the tool: please report it with the model.");
    }

    private static void RemoveTraces(Model model)
    {
        MarkerFunctions.Remove(model);
        foreach (var domain in model.OpsetImports.Keys.Where(IsOurs).ToList())
            model.OpsetImports.Remove(domain);
        RemoveMetadata(model.Metadata);
        RemoveMetadata(model.Graph.Metadata);
        foreach (var node in model.Graph.Nodes)
            RemoveMetadata(node.Metadata);
        foreach (var value in model.Graph.Values)
            RemoveMetadata(value.Metadata);
    }

    private static void RemoveMetadata(IDictionary<string, string> metadata)
    {
        foreach (var key in metadata.Keys.Where(IsOurs).ToList())
            metadata.Remove(key);
    }

    private static bool IsOurs(string name) => name == Markers.Domain || name.StartsWith(Markers.Domain + ".", StringComparison.Ordinal);
}
