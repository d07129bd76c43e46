using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Gather, all versions: slices of data along <c>axis</c>, at the places the indices say. Negative indices count from the end.</summary>
internal sealed class Gather : NamedOperator
{
    private readonly long axis;

    private Gather(NodeReader node) : base(node, 2, 2)
    {
        axis = node.Int("axis", 0);
    }

    public override IReadOnlyList<int> ParameterInputs => [0];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (data.Shape is not { } shape || context.Shape(1) is not { } indices)
            return UnknownShape(data.Element);
        var at = Axis(axis, shape.Rank);
        var numbers = KnownElements.Numbers(context, 1);
        if (shape[at].ValueOrNull is { } extent && numbers?.FirstOrDefault(i => i < -extent || i >= extent, 0) is { } outside && (outside < -extent || outside >= extent))
            throw context.Error($"index {outside} is outside axis {at} of {shape}.");
        var elements = shape.Rank == 1 && numbers is not null && KnownElements.Of(context, 0) is { } known
            ? numbers.Select(i => known[(int)(i < 0 ? i + known.Count : i)]).ToArray()
            : null;
        return Output(data.Element, [.. shape.Take(at), .. indices, .. shape.Skip(at + 1)], elements);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var shape = inputs[0]!.shape;
        var at = Axis(axis, shape.Length);
        var indices = Indices.Positive(inputs[1]!, shape[at], Error);
        var picked = inputs[0]!.index_select(at, indices.reshape(-1));
        return [picked.reshape([.. shape[..at], .. inputs[1]!.shape, .. shape[(at + 1)..]])];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Gather", [1, 11, 13], node => new Gather(node)) { Types = TypeSets.All }];
    }
}
