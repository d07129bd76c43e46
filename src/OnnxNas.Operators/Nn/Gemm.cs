using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// Gemm, versions 6, 7, 9, 11 and 13: A <c>[M,K]</c> and B <c>[K,N]</c> (either one transposed), C that broadcasts to <c>[M,N]</c>,
/// to Y = alpha·A·B + beta·C. Version 6 broadcasts C only where <c>broadcast</c> is 1.
/// </summary>
internal sealed class Gemm : NamedOperator
{
    private readonly float alpha;
    private readonly float beta;
    private readonly bool transA;
    private readonly bool transB;
    private readonly bool broadcasts;

    private Gemm(NodeReader node) : base(node, node.Version < 11 ? 3 : 2, 3)
    {
        alpha = node.Float("alpha", 1);
        beta = node.Float("beta", 1);
        transA = node.Flag("transA", false);
        transB = node.Flag("transB", false);
        broadcasts = node.Version >= 7 || node.Flag("broadcast", false);
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } a || context.Shape(1) is not { } b)
            return [InferredValue.Tensor(context.Element(0), null)];
        if (a.Rank != 2 || b.Rank != 2)
            throw context.Error($"A {a} and B {b} must be matrices.");
        var (rows, inner) = transA ? (a[1], a[0]) : (a[0], a[1]);
        var (innerB, columns) = transB ? (b[1], b[0]) : (b[0], b[1]);
        if (!Rules.MayEqual(inner, innerB))
            throw context.Error($"A {a}{(transA ? " transposed" : "")} and B {b}{(transB ? " transposed" : "")} do not multiply: {inner} is not {innerB}.");
        var y = new Shape(rows, columns);
        if (context.Shape(2) is { } c && !Rules.MayBroadcastTo(c, y))
            throw context.Error($"C {c} does not broadcast to {y}.");
        if (!broadcasts && context.Shape(2) is { } whole && !(whole.Rank == 2 && Rules.MayEqual(whole[0], rows) && Rules.MayEqual(whole[1], columns)))
            throw context.Error($"C {whole} must be {y}: before opset 7 it does not broadcast unless the attribute 'broadcast' is 1.");
        return [InferredValue.Tensor(context.Element(0), y)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (a, b, c) = (inputs[0]!, inputs[1]!, inputs.At(2));
        Rules.Require(a.dim() == 2 && b.dim() == 2, () => $"Gemm: A {a.Text()} and B {b.Text()} must be matrices.");
        Rules.Require(a.size(transA ? 0 : 1) == b.size(transB ? 1 : 0), () => $"Gemm: A {a.Text()} and B {b.Text()} do not multiply.");
        var (rows, columns) = (a.size(transA ? 1 : 0), b.size(transB ? 0 : 1));
        Rules.Require(c is null || Rules.BroadcastsTo(c.shape, [rows, columns]), () => $"Gemm: C {c!.Text()} does not broadcast to [{rows},{columns}].");
        Rules.Require(broadcasts || c is null || c.shape is [var m, var n] && m == rows && n == columns, () => $"Gemm: C {c!.Text()} must be [{rows},{columns}], as the attribute 'broadcast' is not 1.");
        var left = transA ? a.t() : null;
        if (a.is_floating_point() && transB && alpha == 1 && (c is null || beta == 1 && c.dim() == 1 && c.size(0) == columns))
            return [nn.functional.linear(left ?? a, b, c)];
        var right = transB ? b.t() : null;
        return [Multiply(left ?? a, right ?? b, c)];
    }

    private Tensor Multiply(Tensor a, Tensor b, Tensor? c)
    {
        if (c is not null && a.is_floating_point())
            return addmm(c, a, b, beta, alpha);
        var product = a.mm(b);
        if (c is null && alpha == 1)
            return product;
        if (a.is_floating_point())
            return product.Times(alpha);
        // Integers are scaled as doubles and cut back.
        var sum = product.to(ScalarType.Float64).Times(alpha);
        if (c is not null)
            sum = sum.Plus(c.to(ScalarType.Float64).Times(beta));
        return sum.to(a.dtype);
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(0) is { Rank: 2 } a && outputs.FirstShape() is { } y ? y.Size() * a[transA ? 0 : 1] : Dim.Unknown();

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Gemm", [6, 7, 9, 11, 13], node => new Gemm(node)) { Types = [.. TypeSets.Floats, .. TypeSets.WideIntegers] }];
    }
}
