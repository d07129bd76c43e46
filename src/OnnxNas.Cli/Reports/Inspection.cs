using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Cli.Reports;

internal sealed record ChoiceFacts(string Label, string Kind, IReadOnlyList<string> Candidates, int NChosen, string? Reduction, IReadOnlyList<string> Nodes);

internal sealed record ValueFacts(string Name, string Type, string? Shape);

/// <summary>What <c>inspect</c> tells of a model; its JSON is the record in snake case.</summary>
internal sealed record Inspection(
    IReadOnlyList<ChoiceFacts> Choices,
    string SpaceSize,
    long Parameters,
    long Macs,
    IReadOnlyList<ValueFacts> Inputs,
    IReadOnlyList<ValueFacts> Outputs,
    int Opset,
    IReadOnlyList<string> Unsupported,
    IReadOnlyList<string> Warnings)
{
    public static Inspection Of(string path)
    {
        var model = OnnxFile.Read(path);
        MarkedModel.Inline(model);
        new PassManager([new LiftConstants()]).Run(model);
        var space = SearchSpace.Read(model);
        var types = ShapeInference.Run(model, SupernetOperators.Registry);
        var cost = new ModelCost(space, types).Supernet;
        return new(
            [.. space.Choices.Select(Facts)],
            space.Size.ToString(CultureInfo.InvariantCulture),
            cost.Parameters,
            cost.Macs,
            [.. model.Graph.Inputs.Where(i => i.Initializer is null).Select(Facts)],
            [.. model.Graph.Outputs.Select(Facts)],
            model.Opset,
            FindUnsupported(model),
            [.. Warn(model, space)]);
    }

    private static ChoiceFacts Facts(Choice choice) => new(
        choice.Label,
        choice is LayerChoice ? Markers.LayerChoice : Markers.InputChoice,
        choice.Candidates,
        choice is InputChoice input ? input.ChosenCount : 1,
        (choice as InputChoice)?.Reduction.ToString().ToLowerInvariant(),
        [.. choice.Nodes.Select(n => n.Name.Length > 0 ? n.Name : n.Output.Name)]);

    private static ValueFacts Facts(Value value) => new(value.Name, value.Element.ToString().ToLowerInvariant(), value.Shape?.ToString());

    private static List<string> FindUnsupported(Model model)
    {
        var opsets = model.OpsetVersions();
        var found = model.Graph.Nodes.Select(n => SupernetOperators.Registry.WhyUnsupported(n, opsets)).OfType<string>().Distinct().ToList();
        if (model.Opset > OperatorRegistry.NewestOpset)
            found.Insert(0, $"opset {model.Opset} of ai.onnx: {OperatorRegistry.OldestOpset} to {OperatorRegistry.NewestOpset} are supported.");
        return found;
    }

    private static IEnumerable<string> Warn(Model model, SearchSpace space)
    {
        var nodes = model.Graph.Nodes.ToList();
        if (space.Choices.Count == 0)
            yield return "The model has no choices: there is nothing to search.";
        if (nodes.Any(n => n.OpType == "Conv") && !nodes.Any(n => n.OpType is "BatchNormalization" or "InstanceNormalization" or "LayerNormalization" or "GroupNormalization") && nodes.Count(n => n.OpType == "Conv" && n.Input(2) is not null) > 1)
            yield return "Convolutions with bias and no normalisation: batch normalisation may have been folded at export. Export with training=TrainingMode.TRAINING to keep it trainable.";
        foreach (var input in model.Graph.Inputs.Where(i => i.Initializer is null && i.Shape is { Rank: > 0 } s && s[0].IsKnown))
            yield return $"Input '{input.Name}' {input.Shape} has a fixed batch: --batch-size must be {input.Shape![0]}. Export with dynamic_axes for any size.";
    }
}
