using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Import;

/// <summary>Makes a model as exporters leave it fit for training, with or without choice markers.</summary>
public static class TrainingImport
{
    /// <summary>
    /// Runs the passes of the import, in order; constants are initializers then, and no dead node is left. For the inputs the file was made for the model computes what it did. What a
    /// pass cannot do safely it leaves alone and says so.
    /// </summary>
    /// <param name="model">The model, which is changed. Marker functions must be gone.</param>
    /// <returns>What was found, by reading the file and by the passes.</returns>
    public static IReadOnlyList<Finding> Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var registry = SupernetOperators.Registry;
        ImportPass[] passes =
        [
            new DropDefaultInputs(),
            new LiftParameters(registry),
            new SeparateMergedConstants(registry),
            new NoticeFoldedNormalization(),
            new NoticeTrainingForm(),
            new NoticeSharedParameters(registry),
            new MakeBatchDynamic(registry, new ConstantEvaluator(registry), BatchOf),
        ];
        var findings = model.Findings.ToList();
        // What nothing reads must not stand in the way of a pass.
        new RemoveDeadNodes().Run(model);
        foreach (var pass in passes)
        {
            pass.Apply(model);
            findings.AddRange(pass.Findings);
        }

        new PassManager([new LiftConstants(), new RemoveDeadNodes()]).Run(model);
        return findings;
    }

    /// <summary>Why the model takes one batch size only, naming the node that stops any other; null where it takes any.</summary>
    public static string? WhyFixedBatch(IReadOnlyList<Finding> findings)
    {
        ArgumentNullException.ThrowIfNull(findings);
        return findings.FirstOrDefault(f => f is { Kind: FindingKind.Refused, Pass: nameof(MakeBatchDynamic) }) is { } refusal
            ? $"The model takes batches of one size only: {refusal.Message}"
            : null;
    }

    // What a marker joins stays apart for each sample.
    private static string? BatchOf(Node node) =>
        !Markers.IsMarker(node) ? null
        : node.OpType == Markers.InputChoice && node.Attribute("reduction")?.AsString() == "concat" ? "Concat"
        : MakeBatchDynamic.Join;
}
