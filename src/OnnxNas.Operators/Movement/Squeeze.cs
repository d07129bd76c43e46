using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Squeeze, all versions: drops axes of extent 1; without <c>axes</c>, all of them. Axes are an attribute, from 13 on an input.</summary>
internal sealed class Squeeze : NamedOperator
{
    private readonly IntegerList axes;

    private Squeeze(NodeReader node) : base(node, 1, node.Version < 13 ? 1 : 2)
    {
        axes = IntegerList.Read(node, "axes", 1, 13);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var x = context.Input(0);
        if (x.Shape is not { } shape)
            return UnknownShape(x.Element);
        if (!axes.IsGiven)
            return shape.IsKnown ? Output(x.Element, shape.Where(d => d.Value != 1), x.Elements) : UnknownShape(x.Element);
        if (axes.Numbers(context) is not { } numbers)
            return axes.Infer(context) is { } some ? Output(x.Element, KnownElements.Unknown(Math.Max(0, shape.Rank - some.Count)), x.Elements) : UnknownShape(x.Element);
        var dropped = Axes(numbers, shape.Rank);
        if (dropped.Any(a => shape[a].ValueOrNull is { } extent && extent != 1))
            throw context.Error($"axes [{string.Join(',', dropped)}] of {shape} cannot be dropped; their extents must be 1.");
        return Output(x.Element, shape.Where((_, i) => !dropped.Contains(i)), x.Elements);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!.shape;
        if (axes.Run(inputs) is not { } given)
            return [inputs[0]!.reshape([.. x.Where(d => d != 1)])];
        var dropped = Axes(given, x.Length);
        if (dropped.Any(a => x[a] != 1))
            throw Error($"axes [{string.Join(',', dropped)}] of [{string.Join(',', x)}] cannot be dropped; their extents must be 1.");
        return [inputs[0]!.reshape([.. x.Where((_, i) => !dropped.Contains(i))])];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Squeeze", [1, 11, 13, 21, 23, 24, 25], node => new Squeeze(node)) { Ranges = [new(1, 0, 0)], Types = TypeSets.All }];
    }
}
