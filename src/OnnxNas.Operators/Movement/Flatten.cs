using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Flatten, all versions: to a matrix, axes before <c>axis</c> and axes from it on.</summary>
internal sealed class Flatten : NamedOperator
{
    private readonly long axis;

    private Flatten(NodeReader node) : base(node, 1, 1)
    {
        axis = node.Int("axis", 1);
        if (axis < 0 && node.Version < 11)
            throw node.Malformed($"axis {axis} is negative, which this version does not know.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (context.Shape(0) is not { } x)
            return Output(element, KnownElements.Unknown(2));
        var at = Split(x.Rank);
        return Output(element, [new Shape(x.Take(at)).Size(), new Shape(x.Skip(at)).Size()]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!.shape;
        var at = Split(x.Length);
        return [inputs[0]!.reshape(Product(x.AsSpan(0, at)), Product(x.AsSpan(at)))];
    }

    // One past the last axis is allowed: the second extent is then 1.
    private int Split(int rank) => axis == rank ? rank : axis == 0 ? 0 : Axis(axis, rank);

    private static long Product(ReadOnlySpan<long> extents)
    {
        long product = 1;
        foreach (var extent in extents)
            product *= extent;
        return product;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Flatten", [1, 9, 11, 13, 21, 23, 24, 25], node => new Flatten(node)) { Types = TypeSets.All }];
    }
}
