using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Random;

/// <summary>
/// Bernoulli, versions 15 and 22: 1 with the probability an element gives, else 0. Multinomial, versions 7 and 22: <c>sample_size</c> classes
/// drawn by unnormalised log probabilities <c>[B,classes]</c>. Neither passes a gradient; <c>seed</c> is not used, as in <see cref="RandomNumbers"/>.
/// </summary>
internal sealed class Draws : NamedOperator
{
    private readonly bool classes;
    private readonly long count;
    private readonly ElementType? type;

    private Draws(NodeReader node, bool classes) : base(node, 1, 1)
    {
        this.classes = classes;
        node.Ignore("seed");
        count = classes ? node.Int("sample_size", 1) : 1;
        type = node.Has("dtype") ? (ElementType)node.Int("dtype") : classes ? ElementType.Int32 : null;
        _ = type?.ToTorch();
        if (count < 1 || classes && type is not (ElementType.Int32 or ElementType.Int64))
            throw node.Malformed($"sample_size is {count} and dtype {type}; it must be positive, and int32 or int64.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (classes && context.Shape(0) is { Rank: not 2 } x)
            throw Error($"the input {x} must be [B,classes].");
        return [InferredValue.Tensor(type ?? context.Element(0), !classes ? context.Shape(0) : new Shape(context.Shape(0)?[0] ?? Dim.Unknown(), count))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!.detach();
        var exact = x.dtype == ScalarType.Float64 ? x : x.to(ScalarType.Float32);
        if (!classes)
            return [rand_like(exact).lt(exact).to(type?.ToTorch() ?? x.dtype)];
        if (x.dim() != 2 || x.numel() == 0 || !exact.isfinite().all().item<bool>())
            throw Error($"the input {x.Text()} must be [B,classes] of finite numbers.");
        return [exact.softmax(-1, exact.dtype).multinomial(count, replacement: true).to(type!.Value.ToTorch())];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Bernoulli", [15, 22], node => new Draws(node, classes: false)) { Gradient = Gradient.None("draws random numbers") },
            new("Multinomial", [7, 22], node => new Draws(node, classes: true)) { Gradient = Gradient.None("draws random numbers") },
        ];
    }
}
