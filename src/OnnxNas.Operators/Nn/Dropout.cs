using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// Dropout, versions 6, 7, 10 (ratio is an attribute), 12, 13 and 22 (ratio and training_mode are optional scalar inputs): data to output of
/// the same shape, and the mask of what was kept.
/// <para>
/// The run decides, not the file (nor <c>is_test</c> of version 6): outside training data passes through. In a training run elements are dropped with the ratio, unless
/// <c>training_mode</c> is given as false. Random numbers come from libtorch's generator; <c>seed</c> is not used, since it would give
/// every step the same mask.
/// </para>
/// </summary>
internal sealed class Dropout : NamedOperator
{
    private readonly double ratio;
    private readonly ElementType maskType;

    private Dropout(NodeReader node) : base(node, 1, node.Version < 12 ? 1 : 3)
    {
        maskType = node.Version < 10 ? ElementType.Undefined : ElementType.Bool;
        ratio = 0.5;
        if (node.Version < 12)
            ratio = node.Float("ratio", 0.5f);
        else
            node.Ignore("seed");
        if (node.Version < 7)
            node.Ignore("is_test");
        if (ratio is < 0 or > 1 or double.NaN)
            throw node.Malformed($"ratio is {ratio}; it must lie in 0 to 1.");
    }

    public override bool PassesGradient(int input) => input == 0;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
    [
        context.SameAsFirst(),
        InferredValue.Tensor(maskType == ElementType.Undefined ? context.Element(0) : maskType, context.Shape(0)),
    ];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var drop = context.Training && (inputs.At(2) is not { } mode || Scalar(mode, "training_mode") != 0) ? Ratio(inputs.At(1)) : 0;
        if (context.OutputCount < 2)
            return [drop == 0 ? x : nn.functional.dropout(x, drop, training: true)];
        using var dropped = Scalars.Temporary(drop);
        using var rest = Scalars.Temporary(1 - drop);
        var mask = drop == 0 ? ones_like(x, ScalarType.Bool) : rand_like(x, ScalarType.Float32) >= dropped;
        var y = drop == 0 ? x : drop == 1 ? zeros_like(x) : x * mask / rest;
        return [y, maskType == ElementType.Bool ? mask : mask.to(x.dtype)];
    }

    private double Ratio(Tensor? input)
    {
        var value = input is null ? ratio : Scalar(input, "ratio");
        Rules.Require(value is >= 0 and <= 1, () => $"Dropout: ratio is {value}; it must lie in 0 to 1.");
        return value;
    }

    private static double Scalar(Tensor tensor, string name)
    {
        Rules.Require(tensor.numel() == 1, () => $"Dropout: {name} must be a scalar, got {tensor.Text()}.");
        return tensor.to(ScalarType.Float64).item<double>();
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Dropout", [6, 7, 10, 12, 13, 22], node => new Dropout(node)) { Ranges = [new(1, 0, 0, true)] }];
    }
}
