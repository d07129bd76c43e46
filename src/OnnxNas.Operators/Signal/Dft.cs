using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Signal;

/// <summary>
/// DFT, versions 17 and 20: the discrete Fourier transform along an axis of numbers whose last axis holds the real part, or the real and the
/// imaginary one: <c>[..,1]</c> or <c>[..,2]</c> to <c>[..,2]</c>. <c>onesided</c> gives the first half, and in inverse takes it back to
/// <c>[..,1]</c>.
/// </summary>
internal sealed class Dft : NamedOperator
{
    private readonly bool inverse;
    private readonly bool onesided;
    private readonly long? axis; // null: an input

    private Dft(NodeReader node) : base(node, 1, node.Version < 20 ? 2 : 3)
    {
        inverse = node.Flag("inverse", false);
        onesided = node.Flag("onesided", false);
        axis = node.Version < 20 ? node.Int("axis", 1) : node.HasInput(2) ? null : -2;
    }

    private bool ToReal => inverse && onesided;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x || (axis ?? KnownElements.Numbers(context, 2)?[0]) is not { } given)
            return [InferredValue.Tensor(context.Element(0), context.Shape(0) is { } s ? new Shape([.. KnownElements.Unknown(s.Rank - 1), ToReal ? 1 : 2]) : null)];
        var at = At(given, x.Rank);
        var length = context.Has(1) ? KnownElements.Of(context, 1) is [var known] ? known : Dim.Unknown() : ToReal ? (x[at] - 1) * 2 : x[at];
        var extent = onesided && !inverse ? Dim.FloorDiv(length, 2) + 1 : length;
        return Output(context.Element(0), x.Select((d, i) => i == at ? extent : i == x.Rank - 1 ? ToReal ? 1 : 2 : d));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        if (x.dim() < 2 || x.shape[^1] is not (1 or 2) || !x.is_floating_point())
            throw Error($"the input {x.dtype} {x.Text()} must hold floats, with a last axis of 1 or 2.");
        var at = At(axis ?? One(inputs[2]!, "the axis"), (int)x.dim());
        var length = inputs.At(1) is { } given ? One(given, "dft_length") : ToReal ? 2 * (x.shape[at] - 1) : x.shape[at];
        if (length < 1 || length > int.MaxValue || x.shape[at] < 1)
            throw Error($"dft_length is {length} for {x.Text()}; both must be positive.");
        if (onesided && !inverse && x.shape[^1] != 1)
            throw Error("a one-sided transform is of real numbers: the last axis must be 1.");
        var exact = x.dtype is ScalarType.Float32 or ScalarType.Float64 ? x : x.to(ScalarType.Float32);
        return [Fourier.Transform(exact, at, length, inverse, onesided).to(x.dtype)];
    }

    private int At(long given, int rank)
    {
        var at = Axis(given, rank);
        return at < rank - 1 ? at : throw Error("the last axis holds real and imaginary parts and cannot be transformed.");
    }

    private long One(Tensor tensor, string what) => tensor.numel() == 1 ? tensor.ToInt64s()[0] : throw Error($"{what} must be one number.");

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("DFT", [17, 20], node => new Dft(node)) { Ranges = [new(1, 1, 8), new(2, 1, 1)] }];
    }
}
