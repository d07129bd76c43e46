using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// Clip, versions 6 (bounds are attributes) and 11, 12, 13 (bounds are optional scalar inputs): X to Y of one shape.
/// Where min is greater than max, every element becomes max.
/// </summary>
internal sealed class Clip : NamedOperator
{
    private readonly double min;
    private readonly double max;
    private readonly (Scalar Min, Scalar Max)? bounds;

    private Clip(NodeReader node) : base(node, 1, node.Version < 11 ? 1 : 3)
    {
        if (node.Version >= 11)
            return;
        (min, max) = (node.Float("min", float.MinValue), node.Float("max", float.MaxValue));
        bounds = (Scalars.Of(min), Scalars.Of(max));
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        foreach (var index in new[] { 1, 2 })
        {
            if (context.Shape(index) is { } bound && bound.Any(d => d.IsKnown && d.Value != 1))
                throw context.Error($"a bound must be a scalar, input {index} is {bound}.");
        }

        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, lower, upper) = (inputs[0]!, inputs.At(1), inputs.At(2));
        if (bounds is { } fixedBounds)
        {
            return x.dtype is ScalarType.Float16 or ScalarType.BFloat16
                ? [x.clamp(Narrow(min, x.dtype), Narrow(max, x.dtype))]
                : [x.clamp(fixedBounds.Min, fixedBounds.Max)];
        }

        if (lower is null && upper is null)
            return [x];
        Rules.Require((lower?.numel() ?? 1) == 1 && (upper?.numel() ?? 1) == 1, () => $"Clip: bounds must be scalars, got {lower?.Text() ?? "none"} and {upper?.Text() ?? "none"}.");
        // The form with numbers is the faster one, but loses the bounds' gradient and large integers, and waits for an accelerator.
        if (x.is_floating_point() && IsPlain(lower) && IsPlain(upper))
        {
            using var least = Number(lower);
            using var most = Number(upper);
            return [x.clamp(least, most)];
        }


        var low = lower?.reshape();
        var high = upper?.reshape();
        return [x.clamp(low, high)];
    }

    // A bound beyond a 16-bit type's range is no bound there; libtorch would refuse the number.
    private static Scalar Narrow(double bound, ScalarType type) =>
        Math.Abs(bound) <= (type == ScalarType.Float16 ? 65504 : 3.3895e38) ? Scalars.Of(bound) : Scalars.Of(bound * double.PositiveInfinity);

    private static bool IsPlain(Tensor? bound) => bound is null || !bound.requires_grad && bound.device_type == DeviceType.CPU;

    private static Scalar? Number(Tensor? bound)
    {
        if (bound is null)
            return null;
        var wide = bound.to(ScalarType.Float64);
        return Scalars.Temporary(wide.item<double>());
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Clip", [6, 11, 12, 13], node => new Clip(node)) { Types = TypeSets.Numbers }];
    }
}
