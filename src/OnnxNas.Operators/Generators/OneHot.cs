using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>
/// OneHot, versions 9 and 11: indices with a new axis of extent depth, the on value at the index and the off value elsewhere.
/// Negative indices count from the end; an index outside gives only off values.
/// </summary>
internal sealed class OneHot : NamedOperator
{
    private readonly long axis;

    private OneHot(NodeReader node) : base(node, 3, 3)
    {
        axis = node.Int("axis", -1);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(2);
        if (context.Shape(0) is not { } indices)
            return UnknownShape(element);
        var at = Axis(axis, indices.Rank + 1);
        var depth = KnownElements.Of(context, 1) is [var known] ? known : Dim.Unknown();
        return Output(element, [.. indices.Take(at), depth, .. indices.Skip(at)]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (indices, values) = (inputs[0]!.to(ScalarType.Int64), inputs[2]!);
        if (inputs[1]!.numel() != 1 || inputs[1]!.ToInt64s() is not [>= 0 and <= int.MaxValue and var depth])
            throw Error("the depth must be one number, not negative.");
        if (values.numel() != 2)
            throw Error($"the values must be the off and the on value, got {values.numel()} elements.");
        var rank = (int)indices.dim() + 1;
        var at = Axis(axis, rank);
        var classes = new long[rank];
        Array.Fill(classes, 1);
        classes[at] = depth;
        var places = where(indices < Scalars.Zero, indices.Plus(depth), indices).unsqueeze(at);
        return [where(places.eq(TensorArithmetic.Arange(depth, places.device).reshape(classes)), values.reshape(-1)[1], values.reshape(-1)[0])];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("OneHot", [9, 11], node => new OneHot(node)) { Ranges = [new(1, 2, 8, true)], Types = TypeSets.All }];
    }
}
