using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// ScatterND from version 11 on: a copy of data in which the slice behind each place, which the last axis of the indices holds,
/// is the update. Updates of one place fold by <c>reduction</c>.
/// </summary>
internal sealed class ScatterND : NamedOperator
{
    private readonly string reduction;

    private ScatterND(NodeReader node) : base(node, 3, 3)
    {
        reduction = ScatterRows.Reduction(node);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(1) is { Rank: 0 })
            throw Error("the indices need at least one axis.");
        if (context.Shape(0) is { } data && context.Shape(1) is { } indices && indices[^1].ValueOrNull is { } depth && (depth < 1 || depth > data.Rank))
            throw Error($"indices {indices} hold places on {depth} axes; data {data} has {data.Rank}.");
        return [InferredValue.Tensor(context.Element(0), context.Shape(0))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (data, indices, updates) = (inputs[0]!.shape, inputs[1]!.shape, inputs[2]!.shape);
        if (indices.Length == 0 || indices[^1] < 1 || indices[^1] > data.Length)
            throw Error($"indices [{string.Join(',', indices)}] do not hold places on the axes of data [{string.Join(',', data)}].");
        var depth = (int)indices[^1];
        if (!updates.SequenceEqual([.. indices[..^1], .. data[depth..]]))
            throw Error($"updates [{string.Join(',', updates)}] must be [{string.Join(',', [.. indices[..^1], .. data[depth..]])}].");
        var linear = Indices.Linear(inputs[1]!, data[..depth], Error);
        var rows = inputs[0]!.reshape([data[..depth].Aggregate(1L, (a, b) => a * b), .. data[depth..]]);
        return [ScatterRows.Apply(rows, linear, inputs[2]!.reshape([linear.numel(), .. data[depth..]]), reduction).reshape(data)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("ScatterND", [11, 13, 16, 18], node => new ScatterND(node)) { Types = TypeSets.All }];
    }
}
