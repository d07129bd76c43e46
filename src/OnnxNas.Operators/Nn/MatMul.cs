using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>MatMul, versions 1, 9 and 13: A <c>[..,M,K]</c>, B <c>[..,K,N]</c> to <c>[..,M,N]</c>; leading axes broadcast, a vector loses its axis.</summary>
internal sealed class MatMul(NodeReader node, int most = 2) : NamedOperator(node, 2, most)
{
    public override IReadOnlyList<int> ParameterInputs => [0, 1];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } a || context.Shape(1) is not { } b)
            return [InferredValue.Tensor(context.Element(0), null)];
        if (a.Rank == 0 || b.Rank == 0)
            throw context.Error($"A {a} and B {b} must have at least one axis.");
        var (inner, innerB) = (a[^1], b.Rank == 1 ? b[0] : b[^2]);
        if (!Rules.MayEqual(inner, innerB))
            throw context.Error($"A {a} and B {b} do not multiply: {inner} is not {innerB}.");
        var (batchA, batchB) = (a.Take(a.Rank - 2).ToList(), b.Take(b.Rank - 2).ToList());
        var rank = Math.Max(batchA.Count, batchB.Count);
        var y = new List<Dim>();
        for (var i = rank; i >= 1; i--)
            y.Add(i > batchA.Count ? batchB[^i] : i > batchB.Count ? batchA[^i] : Broadcast(context, batchA[^i], batchB[^i]));
        if (a.Rank > 1)
            y.Add(a[^2]);
        if (b.Rank > 1)
            y.Add(b[^1]);
        return [InferredValue.Tensor(context.Element(0), new Shape(y))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (a, b) = (inputs[0]!, inputs[1]!);
        var (x, y) = (a.shape, b.shape);
        Rules.Require(x.Length > 0 && y.Length > 0 && x[^1] == (y.Length == 1 ? y[0] : y[^2]), () => $"MatMul: A {a.Text()} and B {b.Text()} do not multiply.");
        for (var i = 3; i <= Math.Min(x.Length, y.Length); i++)
        {
            var axis = i;
            Rules.Require(x[^axis] == y[^axis] || x[^axis] == 1 || y[^axis] == 1, () => $"MatMul: A {a.Text()} and B {b.Text()} do not broadcast.");
        }

        return [a.MatrixTimes(b)];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(0) is { Rank: > 0 } a && outputs.FirstShape() is { } y ? y.Size() * a[^1] : Dim.Unknown();

    private static Dim Broadcast(InferenceContext context, Dim a, Dim b)
    {
        if (a.ValueOrNull == 1)
            return b;
        if (b.ValueOrNull == 1 || a.Equals(b))
            return a;
        if (a.IsKnown && b.IsKnown)
            throw context.Error($"leading extents {a} and {b} do not broadcast.");
        // A known extent above 1 wins over a symbol, which can then only be it or 1.
        return a.IsKnown ? a : b.IsKnown ? b : Dim.Unknown();
    }

    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { Rank: >= 2 } a || context.Shape(1) is not { Rank: >= 2 } b || outputs[0]?.Shape is not { Rank: >= 2 } y || (a.Rank == 2 && b.Rank == 2))
            return default;
        // Operands are copied where their leading axes are broadcast.
        var batch = Workload.Count(y.SkipLast(2));
        return Workload.Of(batch * (Workload.Count(a.TakeLast(2)) + Workload.Count(b.TakeLast(2))));
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("MatMul", [1, 9, 13], node => new MatMul(node)) { Types = [.. TypeSets.Floats, .. TypeSets.WideIntegers] }];
    }
}
