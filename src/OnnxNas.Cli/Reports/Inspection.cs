using System.Text.Json;
using System.Text.Json.Serialization;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Import;
using OnnxNas.Search.Objectives;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Cli.Reports;

internal sealed record ChoiceFacts(string Label, string Kind, IReadOnlyList<string> Candidates, int NChosen, string? Reduction, IReadOnlyList<string> Nodes);

internal sealed record ImportFacts(string Pass, string Action, IReadOnlyList<string> Subjects, string Message);

internal sealed record ValueFacts(string Name, string Type, string? Shape);

/// <summary>How an output comes about: what its numbers are, the operator that makes or decides them, the axis of its classes, and what the scores in front are called; why it cannot be trained, if so.</summary>
internal sealed record EndFacts(string Output, string Form, string? MadeBy, int? ClassAxis, string? Scores, string? Untrainable);

/// <summary>What <c>inspect</c> tells of a model; its JSON is the record in snake case.</summary>
internal sealed record Inspection(
    IReadOnlyList<ChoiceFacts> Choices,
    string SpaceSize,
    long Parameters,
    long Macs,
    IReadOnlyList<string> Assumed,
    IReadOnlyList<ValueFacts> Inputs,
    IReadOnlyList<ValueFacts> Outputs,
    IReadOnlyList<EndFacts> Ends,
    int Opset,
    IReadOnlyList<string> Unsupported,
    IReadOnlyList<ImportFacts> Import,
    IReadOnlyList<FixedInitializer> NotTrained,
    IReadOnlyList<string> Warnings)
{
    /// <summary>The size of the space for people.</summary>
    [JsonIgnore]
    public string SpaceInShort { get; private init; } = SpaceSize;

    public static Inspection Of(string path, IReadOnlyList<string> shapes)
    {
        var model = OnnxFile.Read(path);
        MarkedModel.Inline(model);
        // The file as it is, choices included that nothing reads; then what it becomes.
        var (filed, unsupported) = (SearchSpace.Read(model), FindUnsupported(model));
        var inputs = model.Graph.Inputs.Where(i => i.Initializer is null).Select(Facts).ToList();
        var outputs = model.Graph.Outputs.Select(Facts).ToList();
        IReadOnlyList<ChoiceFacts> choices = [.. filed.Choices.Select(Facts)];
        var (findings, notTrained) = TrainingImport.Report(model);
        var types = ShapeInference.Run(model, SupernetOperators.Registry);
        var costs = new ModelCost(SearchSpace.Read(model), InputExtents.Parse(shapes, model.Graph));
        return new(
            choices,
            filed.Size.Digits,
            costs.Supernet.Parameters,
            costs.Supernet.Macs,
            costs.Assumed,
            inputs,
            outputs,
            [.. model.Graph.Outputs.Select(o => Facts(new ModelEndReader(model, types).Read(o)))],
            model.Opset,
            unsupported,
            [.. findings.Select(f => new ImportFacts(f.Pass, f.Kind.ToString().ToLowerInvariant(), f.Subjects, f.Message))],
            notTrained,
            [.. Warn(choices, findings, costs)])
        {
            SpaceInShort = filed.Size.ToString(),
        };
    }

    private static ChoiceFacts Facts(Choice choice) => new(
        choice.Label,
        choice is LayerChoice ? Markers.LayerChoice : Markers.InputChoice,
        choice.Candidates,
        choice is InputChoice input ? input.ChosenCount : 1,
        (choice as InputChoice)?.Reduction.ToString().ToLowerInvariant(),
        [.. choice.Nodes.Select(n => n.Label)]);

    private static ValueFacts Facts(Value value) => new(value.Name, value.Element.ToString().ToLowerInvariant(), value.Shape?.ToString());

    private static EndFacts Facts(ModelEnd end) => new(
        end.Output.Name,
        JsonNamingPolicy.SnakeCaseLower.ConvertName(end.Form.ToString()),
        end.Decision ?? end.MadeBy,
        end.ClassAxis,
        end.Front ?? (end.Decision is null ? null : end.Scores.Name),
        end.Untrainable);

    private static List<string> FindUnsupported(Model model)
    {
        var opsets = model.OpsetVersions();
        var found = model.Graph.Nodes.Select(n => SupernetOperators.Registry.WhyUnsupported(n, opsets)).OfType<string>().Distinct().ToList();
        if (model.Opset > OperatorRegistry.NewestOpset)
            found.Insert(0, $"opset {model.Opset} of ai.onnx: {OperatorRegistry.OldestOpset} to {OperatorRegistry.NewestOpset} are supported.");
        return found;
    }

    private static IEnumerable<string> Warn(IReadOnlyList<ChoiceFacts> choices, IReadOnlyList<Finding> findings, ModelCost costs)
    {
        if (choices.Count == 0)
            yield return "The model has no choices: there is nothing to search.";
        if (TrainingImport.WhyFixedBatch(findings) is { } reason)
            yield return reason;
        if (costs.WhyIncomplete is { } missing)
            yield return missing;
    }
}
