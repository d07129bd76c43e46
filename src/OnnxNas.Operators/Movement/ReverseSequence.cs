using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>ReverseSequence, version 10: the first so many places along the time axis in reverse, as many as sequence_lens <c>[B]</c> says for each batch entry.</summary>
internal sealed class ReverseSequence : NamedOperator
{
    private readonly long batchAxis;
    private readonly long timeAxis;

    private ReverseSequence(NodeReader node) : base(node, 2, 2)
    {
        (batchAxis, timeAxis) = (node.Int("batch_axis", 1), node.Int("time_axis", 0));
        if ((batchAxis, timeAxis) is not ((0, 1) or (1, 0)))
            throw node.Malformed($"batch_axis is {batchAxis} and time_axis {timeAxis}; one must be 0 and the other 1.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.SameAsFirst()];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, lengths) = (inputs[0]!, inputs[1]!);
        if (x.dim() < 2 || !lengths.shape.SequenceEqual([x.shape[batchAxis]]))
            throw Error($"the input {x.Text()} must have two axes at least, and sequence_lens {lengths.Text()} an entry for each of its batch.");
        var extent = x.shape[timeAxis];
        var wide = lengths.to(ScalarType.Int64);
        if (wide.lt(Scalars.Zero).logical_or(wide.gt(Scalars.Of(extent))).any().item<bool>())
            throw Error($"sequence_lens must lie in 0 to {extent}.");
        // [B,T]
        var place = TensorArithmetic.Arange(extent, x.device).unsqueeze(0);
        var last = wide.unsqueeze(1).Minus(1L);
        var source = where(place.le(last), last - place, place.expand(wide.shape[0], extent));
        var index = timeAxis == 0 ? source.t() : source;
        long[] along = [.. index.shape, .. Enumerable.Repeat(1L, (int)x.dim() - 2)];
        return [WideUnsigned.Narrowed(WideUnsigned.Widened(x, wraps: true).gather(timeAxis, index.reshape(along).expand(x.shape)), x)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("ReverseSequence", [10], node => new ReverseSequence(node)) { Ranges = [new(1, 1, 2)], Types = TypeSets.All }];
    }
}
