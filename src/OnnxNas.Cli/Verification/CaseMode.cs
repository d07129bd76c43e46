using OnnxNas.Ir;
using OnnxNas.Operators.Execution;

namespace OnnxNas.Cli.Verification;

/// <summary>What a test case asks of the run: training or evaluation, which is written into some of its nodes.</summary>
internal static class CaseMode
{
    // The version in which training_mode became an input of Dropout.
    private const int ModeIsInput = 12;
    private const double DefaultRatio = 0.5;

    private static readonly HashSet<string> Random = ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"];

    /// <summary>Whether a node of the case is in its training form.</summary>
    public static bool IsTraining(Model model, IReadOnlyDictionary<string, TensorData> feeds) =>
        model.Graph.Nodes.Any(n => n.Domain.Length == 0 && (IsTrainingNorm(n) || IsActiveDropout(n, model.Opset, feeds)));

    /// <summary>Refuses a case whose outputs are drawn at random: every runtime draws its own.</summary>
    /// <exception cref="UnsupportedOperatorException">A node draws random numbers.</exception>
    public static void RequireDeterminate(Model model, IReadOnlyDictionary<string, TensorData> feeds)
    {
        foreach (var node in model.Graph.Nodes.Where(n => n.Domain.Length == 0))
        {
            if (Random.Contains(node.OpType) || IsActiveDropout(node, model.Opset, feeds) && Ratio(node, feeds) != 0)
                throw new UnsupportedOperatorException($"{node} draws random numbers, and each runtime draws its own: the outputs cannot be compared.");
        }
    }

    private static bool IsTrainingNorm(Node node) =>
        node.OpType == "BatchNormalization" && node.Attribute("training_mode") is { } mode && mode.AsInt() != 0;

    private static bool IsActiveDropout(Node node, int opset, IReadOnlyDictionary<string, TensorData> feeds) =>
        node.OpType == "Dropout" && opset >= ModeIsInput && Known(node.Input(2), feeds) is { Type: ElementType.Bool, ElementCount: 1 } mode && mode.Bytes.Span[0] != 0;

    private static double Ratio(Node node, IReadOnlyDictionary<string, TensorData> feeds) =>
        Known(node.Input(1), feeds) is { ElementCount: 1 } ratio ? ratio.ToDoubles()[0] : DefaultRatio;

    private static TensorData? Known(Value? value, IReadOnlyDictionary<string, TensorData> feeds) =>
        value is null ? null : feeds.GetValueOrDefault(value.Name) ?? ParameterRule.ConstantOf(value);
}
