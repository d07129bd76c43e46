using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>GatherElements, versions 11 and 13: for each index, the element of data at the index's place, but for <c>axis</c>, where the index says.</summary>
internal sealed class GatherElements : NamedOperator
{
    private readonly long axis;

    private GatherElements(NodeReader node) : base(node, 2, 2)
    {
        axis = node.Int("axis", 0);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } data && context.Shape(1) is { } indices)
        {
            if (data.Rank != indices.Rank)
                throw Error($"data {data} and indices {indices} must have the same rank.");
            _ = Axis(axis, data.Rank);
        }

        return [InferredValue.Tensor(context.Element(0), context.Shape(1))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (data, indices) = (inputs[0]!.shape, inputs[1]!.shape);
        var at = data.Length == indices.Length ? Axis(axis, data.Length) : throw Error($"data of rank {data.Length} and indices of rank {indices.Length} must have the same rank.");
        if (data.Where((d, a) => a != at && indices[a] > d).Any())
            throw Error($"indices [{string.Join(',', indices)}] reach beyond data [{string.Join(',', data)}] on an axis other than {at}.");
        return [WideUnsigned.Narrowed(WideUnsigned.Widened(inputs[0]!, wraps: true).gather(at, Indices.Positive(inputs[1]!, data[at], Error)), inputs[0]!)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("GatherElements", [11, 13], node => new GatherElements(node)) { Types = TypeSets.All }];
    }
}
