namespace OnnxNas.Ir.Passes;

/// <summary>Facts about Dropout nodes.</summary>
internal static class Dropouts
{
    // The version in which training_mode became an input; before it, a Dropout never drops outside a trainer.
    private const int ModeIsInput = 12;

    /// <summary>Whether the node hands its input on unchanged.</summary>
    public static bool IsInactive(Node node, int opset) =>
        opset < ModeIsInput || node.Input(2) is not { } mode || ConstantFacts.Constant(mode) is { Type: ElementType.Bool } flag && flag.Bytes.Span[0] == 0;
}
