using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Import;

/// <summary>What the import of a model found.</summary>
/// <param name="Findings">What the passes say.</param>
/// <param name="Fixed">Constants that training leaves as they are, and why.</param>
public sealed record ImportReport(IReadOnlyList<Finding> Findings, IReadOnlyList<FixedInitializer> Fixed);

/// <summary>Makes a model as exporters leave it fit for training, with or without choice markers.</summary>
public static class TrainingImport
{
    /// <summary>
    /// Runs the passes of the import, in order; constants are initializers then, and no dead node is left. For the inputs the file was made for the model computes what it did. What a
    /// pass cannot do safely it leaves alone and says so.
    /// </summary>
    /// <param name="model">The model, which is changed. Marker functions must be gone.</param>
    /// <param name="patterns">What the user says about what trains.</param>
    /// <exception cref="UsageException">A pattern matches nothing, or asks for what no gradient reaches.</exception>
    /// <returns>What was found, by reading the file and by the passes, and what is not trained.</returns>
    public static ImportReport Report(Model model, TrainingPatterns? patterns = null)
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

        var decision = TrainingDecision.Of(model, registry, patterns);
        decision.Write();
        var hoist = new HoistBodyParameters();
        hoist.Apply(model);
        findings.AddRange(hoist.Findings);
        new PassManager([new LiftConstants(), new RemoveDeadNodes()]).Run(model);
        return new(findings, decision.Fixed);
    }

    /// <summary>As <see cref="Report"/>, for who asks only what was found.</summary>
    public static IReadOnlyList<Finding> Run(Model model) => Report(model).Findings;

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
