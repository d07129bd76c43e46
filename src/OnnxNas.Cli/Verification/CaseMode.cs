using OnnxNas.Ir;
using OnnxNas.Operators.Execution;

namespace OnnxNas.Cli.Verification;

/// <summary>What a test case asks of the run: training or evaluation, which is written into some of its nodes.</summary>
internal static class CaseMode
{
    // The version in which training_mode became an input of Dropout.
    private const int ModeIsInput = 12;
    // The version from which is_test is gone.
    private const int ModeIsImplied = 7;
    private const double DefaultRatio = 0.5;

    private static readonly HashSet<string> Random = ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"];

    /// <summary>Whether a node of the case is in its training form.</summary>
    public static bool IsTraining(Model model, IReadOnlyDictionary<string, TensorData> feeds) =>
        model.Graph.Nodes.Any(n => n.Domain.Length == 0 && (IsTrainingNorm(n, model.Opset) || IsActiveDropout(n, model.Opset, feeds)));

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

    // Up to version 6 nodes are in training form unless is_test says otherwise; from 7 to 13 the file does not tell.
    private static bool IsTrainingNorm(Node node, int opset) =>
        node.OpType == "BatchNormalization" && (opset < ModeIsImplied ? IsFlag(node, "is_test", false) : IsFlag(node, "training_mode", true));

    private static bool IsFlag(Node node, string name, bool value) => ((node.Attribute(name)?.AsInt() ?? 0) != 0) == value;

    private static bool IsActiveDropout(Node node, int opset, IReadOnlyDictionary<string, TensorData> feeds) =>
        node.OpType == "Dropout" && (opset < ModeIsImplied ? IsFlag(node, "is_test", false) : opset >= ModeIsInput && Known(node.Input(2), feeds) is { Type: ElementType.Bool, ElementCount: 1 } mode && mode.Bytes.Span[0] != 0);

    private static double Ratio(Node node, IReadOnlyDictionary<string, TensorData> feeds) =>
        node.Attribute("ratio") is { } given ? given.AsFloat() : Known(node.Input(1), feeds) is { ElementCount: 1 } ratio ? ratio.ToDoubles()[0] : DefaultRatio;

    private static TensorData? Known(Value? value, IReadOnlyDictionary<string, TensorData> feeds) =>
        value is null ? null : feeds.GetValueOrDefault(value.Name) ?? ParameterRule.ConstantOf(value);
}
