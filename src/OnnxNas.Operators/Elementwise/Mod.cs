using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Mod, versions 10 and 13: the remainder, with the sign of the divisor, or with <c>fmod</c> that of the dividend.</summary>
internal sealed class Mod : NamedOperator
{
    private readonly bool fmod;

    private Mod(NodeReader node) : base(node, 2, 2)
    {
        fmod = node.Flag("fmod", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (element.IsFloatingPoint() && !fmod)
            throw context.Error($"the remainder of {element} needs fmod=1.");
        Integers.RequireDefined(context);
        var elements = KnownElements.Combine(element, KnownElements.Of(context, 0), KnownElements.Of(context, 1), Remainder);
        return [new InferredValue(new TensorType(element, Broadcasting.Infer(context, 0, 1)), elements)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (a, b) = (inputs[0]!, inputs[1]!);
        if (!Broadcasting.Fits(a.shape, b.shape))
            throw Error(Broadcasting.Mismatch(a, b));
        if (a.is_floating_point())
            return [fmod ? a.fmod(b) : throw Error("the remainder of floats needs fmod=1.")];
        var like = a;
        (a, b) = (WideUnsigned.Widened(a, wraps: false), WideUnsigned.Widened(b, wraps: false));
        try
        {
            // Anything divided by -1 leaves nothing, as by 1.
            b = Integers.SafeDivisor(b, out _) ?? b;
        }
        catch (DivideByZeroException)
        {
            throw Error("an integer is divided by zero.");
        }

        return [WideUnsigned.Narrowed(fmod ? a.fmod(b) : a.remainder(b), like)];
    }

    private Dim? Remainder(Dim a, Dim b)
    {
        if (b.ValueOrNull == 0)
            return null;
        if (a.IsKnown && b.IsKnown)
            return b.Value == -1 ? 0 : fmod || a.Value % b.Value == 0 || a.Value < 0 == b.Value < 0 ? a.Value % b.Value : a.Value % b.Value + b.Value;
        return a.IsNonNegative && b.IsNonNegative ? a - Dim.FloorDiv(a, b) * b : null;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Mod", [10, 13], node => new Mod(node)) { Ranges = [new(1, 1, 4)], Types = TypeSets.Numbers }];
    }
}
