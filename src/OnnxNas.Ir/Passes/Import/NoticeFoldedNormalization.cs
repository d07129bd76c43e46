using System.Text.RegularExpressions;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// Says where a normalisation has been folded into a layer's weights at export, so that it is not there to be trained. Changes nothing.
/// </summary>
/// <remarks>
/// A bias alone says nothing: many nets have convolutions with bias that never had a normalisation. What tells is the names. Exporters keep a parameter's path
/// (<c>features.0.weight</c>) unless they computed the tensor; then they make a name up (<c>onnx::Conv_1316</c> or a number in PyTorch, <c>..._fused_bn</c> in
/// tf2onnx, <c>ConvBnFusion_...</c> in ONNX Runtime).
/// </remarks>
public sealed partial class NoticeFoldedNormalization : ImportPass
{
    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (folded, computed, unsure) = (new List<string>(), new List<string>(), new List<string>());
        // Where nothing has a path, numbers are how the exporter names everything.
        var hasPaths = model.Graph.Initializers.Any(i => i.Initializer!.Type.IsFloatingPoint() && !MadeUp().IsMatch(i.Name));
        foreach (var node in model.Graph.Nodes.Where(n => n is { Domain: "", OpType: "Conv" or "ConvTranspose" or "Gemm" }))
        {
            if (NameOf(node.Input(1)) is not { } weight || NameOf(node.Input(2)) is not { } bias || IsNormalized(node))
                continue;
            if (Fused().IsMatch(weight) || Fused().IsMatch(bias))
                folded.Add(node.Label);
            else if (node.OpType != "Gemm" && MadeUp().IsMatch(weight) && MadeUp().IsMatch(bias))
                (hasPaths || weight.StartsWith("onnx::", StringComparison.Ordinal) ? computed : unsure).Add(node.Label);
            else if (weight.EndsWith(".weight", StringComparison.Ordinal) && (MadeUp().IsMatch(bias) || bias == weight + "_bias"))
                unsure.Add(node.Label);
        }

        const string advice = "Export in training mode (TrainingMode.TRAINING in PyTorch) to keep it trainable.";
        if (folded.Count > 0)
            Report(FindingKind.Noticed, folded, $"batch normalisation has been folded into weight and bias. {advice}");
        if (computed.Count > 0)
            Report(FindingKind.Noticed, computed, $"weight and bias were computed at export: a normalisation, most likely batch normalisation, has been folded into them. {advice}");
        if (unsure.Count > 0)
            Report(FindingKind.Noticed, unsure, $"the names of weight and bias do not tell where they come from: a normalisation may have been folded into them. {advice}");
        return 0;
    }

    // The name of the constant that an input is, also under another name.
    private static string? NameOf(Value? value) =>
        value is null ? null
        : value.Initializer is not null || value.Producer is { OpType: "Constant", Domain: "" } ? value.Name
        : value.Producer is { OpType: "Identity", Domain: "" } copy && NameOf(copy.Input(0)) is not null ? value.Name : null;

    // Whether what follows is a normalisation: then none was folded.
    private static bool IsNormalized(Node node) => node.Output.Uses.Any(u => u.Node is { Domain: "", OpType: "BatchNormalization" });

    [GeneratedRegex(@"^(onnx::\w+_)?\d+$")]
    private static partial Regex MadeUp();

    [GeneratedRegex("fused_bn|bn_?fusion|_bn_folded|fold_bn|ConvBnFusion", RegexOptions.IgnoreCase)]
    private static partial Regex Fused();
}
