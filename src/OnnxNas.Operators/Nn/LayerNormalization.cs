using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// LayerNormalization, version 17: X normalised over the axes from <c>axis</c> on, times Scale plus B (both broadcast to X), to Y of X's
/// shape, Mean and InvStdDev of X's shape with those axes 1. RMSNormalization, version 23: the same without mean, B and further outputs.
/// <c>stash_type</c> is the least precision of the statistics: float64 stays float64.
/// </summary>
internal sealed class LayerNormalization : NamedOperator
{
    private readonly string op;
    private readonly long axis;
    private readonly double epsilon;
    private readonly ElementType stash;
    private readonly bool centred;

    private LayerNormalization(NodeReader node, bool centred) : base(node, 2, centred ? 3 : 2)
    {
        this.centred = centred;
        op = node.Node.OpType;
        axis = node.Int("axis", -1);
        epsilon = node.Float("epsilon", 1e-5f);
        stash = Stash(node);
    }

    /// <summary>Reads <c>stash_type</c>.</summary>
    public static ElementType Stash(NodeReader node) => (ElementType)node.Int("stash_type", 1) is var type && type.IsFloatingPoint()
        ? type
        : throw node.Unsupported($"stash_type {(int)type} is no floating-point type; use 1 (float32).");

    /// <summary>The type statistics are computed in: the wider one of the input's and the stash type.</summary>
    public static ScalarType Working(ScalarType input, ElementType stash)
    {
        var wanted = stash.ToTorch();
        return Bytes(wanted) > Bytes(input) ? wanted : input;
        static int Bytes(ScalarType type) => type == ScalarType.Float64 ? 8 : type == ScalarType.Float32 ? 4 : 2;
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var y = InferredValue.Tensor(context.Element(centred ? 0 : 1), context.Shape(0));
        if (context.Shape(0) is not { } x)
            return centred ? [y, InferredValue.Tensor(stash, null), InferredValue.Tensor(stash, null)] : [y];
        var first = Rules.Axis(axis, x.Rank, op);
        foreach (var i in new[] { 1, 2 })
        {
            if (context.Shape(i) is { } p && !Rules.MayBroadcastTo(p, x))
                throw context.Error($"input {i} {p} does not broadcast to X {x}.");
        }

        var statistics = InferredValue.Tensor(stash, new Shape(x.Select((d, i) => i < first ? d : 1)));
        return centred ? [y, statistics, statistics] : [y];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, scale, bias) = (inputs[0]!, inputs[1]!, inputs.At(2));
        var shape = x.shape;
        var first = Rules.Axis(axis, shape.Length, op);
        foreach (var p in (ReadOnlySpan<Tensor?>)[scale, bias])
            Rules.Require(p is null || Rules.BroadcastsTo(p.shape, shape), () => $"{op}: parameter {p!.Text()} does not broadcast to X {x.Text()}.");
        var normalized = shape[first..];
        var working = Working(x.dtype, stash);
        if (!centred)
            return [RootMeanSquare(x.to(working), first).to(scale.dtype) * scale];
        // Libtorch's kernel takes 16-bit input with 16-bit parameters and computes in float32 itself.
        var fused = scale.dtype == x.dtype && scale.shape.AsSpan().SequenceEqual(normalized) && (bias is null || bias.shape.AsSpan().SequenceEqual(normalized));
        var y = nn.functional.layer_norm(x, normalized, fused ? scale : null, fused ? bias : null, epsilon);
        if (!fused)
            y = bias is null ? y * scale : (y * scale).Plus(bias);
        if (context.OutputCount < 2)
            return [y];
        long[] axes = [.. Enumerable.Range(first, shape.Length - first).Select(i => (long)i)];
        var (variance, mean) = var_mean(x.to(working), axes, unbiased: false, keepdim: true);
        return [y, mean.to(stash.ToTorch()), variance.Plus(epsilon).rsqrt().to(stash.ToTorch())];
    }

    private Tensor RootMeanSquare(Tensor x, int first)
    {
        long[] axes = [.. Enumerable.Range(first, (int)x.dim() - first).Select(i => (long)i)];
        return x * x.Square().mean(axes, keepdim: true).Plus(epsilon).rsqrt();
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("LayerNormalization", [17], node => new LayerNormalization(node, centred: true)),
            new("RMSNormalization", [23], node => new LayerNormalization(node, centred: false)),
        ];
    }
}
