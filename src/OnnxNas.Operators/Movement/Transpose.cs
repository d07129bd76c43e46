using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Transpose, all versions: axis i of the output is axis <c>perm[i]</c> of the input; without it the axes are reversed.</summary>
internal sealed class Transpose : NamedOperator
{
    private readonly long[]? perm;

    private Transpose(NodeReader node) : base(node, 1, 1)
    {
        perm = node.Ints("perm");
        if (perm is not null && !perm.Order().SequenceEqual(Enumerable.Range(0, perm.Length).Select(i => (long)i)))
            throw node.Malformed($"perm [{string.Join(',', perm)}] is no permutation of the axes 0 to {perm.Length - 1}.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var x = context.Input(0);
        if (x.Shape is not { } shape)
            return perm is null ? UnknownShape(x.Element) : Output(x.Element, KnownElements.Unknown(perm.Length));
        return Output(x.Element, Order(shape.Rank).Select(a => shape[(int)a]), shape.Rank <= 1 ? x.Elements : null);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => [inputs[0]!.permute(Order((int)inputs[0]!.dim()))];

    private long[] Order(int rank)
    {
        if (perm is null)
            return [.. Enumerable.Range(0, rank).Select(i => (long)(rank - 1 - i))];
        return perm.Length == rank ? perm : throw Error($"perm [{string.Join(',', perm)}] does not fit a tensor of rank {rank}.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Transpose", [1, 13, 21, 23, 24, 25], node => new Transpose(node)) { Types = TypeSets.All }];
    }
}
