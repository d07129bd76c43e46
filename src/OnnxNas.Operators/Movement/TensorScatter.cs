using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// TensorScatter, version 24: a copy of past_cache in which each batch entry's update is written along an axis from the place on that
/// write_indices <c>[B]</c> gives; in <c>mode</c> circular it goes on at the start where the axis ends.
/// </summary>
internal sealed class TensorScatter : NamedOperator
{
    private readonly long axis;
    private readonly bool circular;

    private TensorScatter(NodeReader node) : base(node, 2, 3)
    {
        axis = node.Int("axis", -2);
        var mode = node.String("mode", "linear");
        circular = mode == "circular";
        if (!circular && mode != "linear")
            throw node.Unsupported($"mode '{mode}' is not one of linear, circular.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.SameAsFirst()];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (cache, update) = (inputs[0]!, inputs[1]!);
        var (s, u) = (cache.shape, update.shape);
        var at = Axis(axis, s.Length);
        if (at == 0 || u.Length != s.Length || update.dtype != cache.dtype || s.Where((d, i) => i != at && u[i] != d).Any() || u[at] > s[at])
            throw Error($"update {update.Text()} must be past_cache {cache.Text()} but for axis {at}, along which it may be shorter; that cannot be the batch axis.");
        var starts = inputs.At(2) is { } given ? given.ToInt64s() : new long[s[0]];
        if (starts.Length != s[0] || starts.Any(p => p < 0 || p >= Math.Max(1, s[at]) || !circular && p + u[at] > s[at]))
            throw Error($"write_indices [{string.Join(',', starts)}] must be [{s[0]}] places at which {u[at]} of {s[at]} find room.");
        var places = tensor(starts, device: cache.device).unsqueeze(1).Plus(TensorArithmetic.Arange(u[at], cache.device));
        if (circular)
            places = places.remainder(Scalars.Of(s[at]));
        long[] along = [.. s.Select((_, i) => i == 0 ? s[0] : i == at ? u[at] : 1)];
        return [WideUnsigned.Narrowed(WideUnsigned.Widened(cache, wraps: true).scatter(at, places.reshape(along).expand(u), WideUnsigned.Widened(update, wraps: true)), cache)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("TensorScatter", [24], node => new TensorScatter(node)) { Types = TypeSets.All }];
    }
}
