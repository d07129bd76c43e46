using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Reductions;

/// <summary>Det, versions 11 and 22: determinants of square matrices <c>[...,M,M]</c>.</summary>
internal sealed class Det(NodeReader node) : NamedOperator(node, 1, 1)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return UnknownShape(context.Element(0));
        if (x.Rank < 2)
            throw Error($"the input {x} must hold square matrices.");
        _ = Same(x[^2], x[^1], $"in the matrices of {x}");
        return Output(context.Element(0), x.SkipLast(2));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!.shape;
        return x.Length >= 2 && x[^1] == x[^2] && inputs[0]!.is_floating_point()
            ? [linalg.det(inputs[0]!)]
            : throw Error($"the input [{string.Join(',', x)}] must hold square matrices of floats.");
    }

    // The elimination of each matrix.
    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        context.Shape(0) is { Rank: >= 2 } x ? new(Workload.Count(x), Workload.Count(x) * Workload.Count([x[^1]])) : default;

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Det", [11, 22], node => new Det(node)) { Types = [ElementType.Float32, ElementType.Float64] }];
    }
}
