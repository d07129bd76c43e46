using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// GatherND, versions 11 to 13: the last axis of the indices holds places on the axes of data behind the <c>batch_dims</c> that
/// both share; each place gives the slice behind it.
/// </summary>
internal sealed class GatherND : NamedOperator
{
    private readonly int batch;

    private GatherND(NodeReader node) : base(node, 2, 2)
    {
        var given = node.Version >= 12 ? node.Int("batch_dims", 0) : 0;
        batch = given is >= 0 and < 64 ? (int)given : throw node.Malformed($"batch_dims is {given}; it must be the number of leading axes that are shared.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (context.Shape(0) is not { } data || context.Shape(1) is not { } indices)
            return UnknownShape(element);
        if (indices.Rank == 0 || indices[^1].ValueOrNull is not { } depth)
            return indices.Rank == 0 ? throw Error("the indices need at least one axis.") : UnknownShape(element);
        Require(data.Rank, indices.Rank, depth);
        var shared = Enumerable.Range(0, batch).Select(a => Same(data[a], indices[a], $"on shared axis {a} of data {data} and indices {indices}"));
        return Output(element, [.. shared, .. indices.Skip(batch).SkipLast(1), .. data.Skip(batch + (int)depth)]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (data, indices) = (inputs[0]!.shape, inputs[1]!.shape);
        if (indices.Length == 0)
            throw Error("the indices need at least one axis.");
        Require(data.Length, indices.Length, indices[^1]);
        if (!data.AsSpan(0, batch).SequenceEqual(indices.AsSpan(0, batch)))
            throw Error($"data [{string.Join(',', data)}] and indices [{string.Join(',', indices)}] must agree on the first {batch} axes.");
        var depth = (int)indices[^1];
        var batches = data[..batch].Aggregate(1L, (a, b) => a * b);
        var rows = data[batch..(batch + depth)].Aggregate(1L, (a, b) => a * b);
        var linear = Indices.Linear(inputs[1]!, data[batch..(batch + depth)], Error);
        if (batch > 0)
            linear = linear.reshape(batches, -1).Plus(TensorArithmetic.Arange(batches, linear.device).Times(rows).unsqueeze(1)).reshape(-1);
        long[] inner = data[(batch + depth)..];
        var picked = inputs[0]!.reshape([batches * rows, .. inner]).index_select(0, linear);
        return [picked.reshape([.. indices[..^1], .. inner])];
    }

    private void Require(int dataRank, int indicesRank, long depth)
    {
        if (batch >= indicesRank || depth < 1 || batch + depth > dataRank)
            throw Error($"indices of rank {indicesRank} whose last axis is {depth} long do not fit data of rank {dataRank} with batch_dims {batch}.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("GatherND", [11, 12, 13], node => new GatherND(node)) { Types = TypeSets.All }];
    }
}
