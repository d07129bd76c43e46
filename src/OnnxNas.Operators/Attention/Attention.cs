using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Attention;

/// <summary>
/// Attention, versions 23 to 25: Q <c>[B,Hq,L,E]</c>, K <c>[B,Hk,S,E]</c>, V <c>[B,Hk,S,F]</c> (or <c>[B,L,Hq·E]</c> and so on, with the
/// numbers of heads as attributes) to softmax(softcap(scale·Q·Kᵀ) + mask)·V. Hq is a multiple of Hk. The past is put before K and V along S;
/// the outputs are Y, K and V with their past, and the scores at the stage <c>qk_matmul_output_mode</c> names. A row that may see nothing gives 0.
/// </summary>
internal sealed class Attention : NamedOperator
{
    private readonly long queryHeads;
    private readonly long keyHeads;
    private readonly double? scale;
    private readonly double softcap;
    private readonly bool causal;
    private readonly long left;
    private readonly long right;
    private readonly long stage;
    private readonly ElementType? precision;

    private Attention(NodeReader node) : base(node, 3, node.Version < 24 ? 6 : 7)
    {
        queryHeads = node.Int("q_num_heads", 0);
        keyHeads = node.Int("kv_num_heads", 0);
        scale = node.Has("scale") ? node.Float("scale", 1) : null;
        softcap = node.Float("softcap", 0);
        causal = node.Flag("is_causal", false);
        left = node.Version >= 25 ? node.Int("left_window_size", -1) : -1;
        right = node.Version >= 25 ? node.Int("right_window_size", -1) : -1;
        stage = node.Int("qk_matmul_output_mode", 0);
        precision = node.Has("softmax_precision") ? (ElementType)node.Int("softmax_precision") : null;
        if (stage is < 0 or > 3)
            throw node.Malformed($"qk_matmul_output_mode is {stage}; it must lie in 0 to 3.");
        if (precision is { } type && !type.IsFloatingPoint())
            throw node.Malformed($"softmax_precision is {type}, which is no floating-point type.");
        if (!(softcap >= 0) || queryHeads < 0 || keyHeads < 0)
            throw node.Malformed("softcap and the numbers of heads must not be negative.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } q || context.Shape(1) is not { } k || context.Shape(2) is not { } v)
            return [.. Enumerable.Range(0, 4).Select(i => InferredValue.Tensor(context.Element(i == 2 ? 2 : 0), null))];
        RequireRanks(q.Rank, k.Rank, v.Rank);
        var flat = q.Rank == 3;
        var (batch, length) = (q[0], flat ? q[1] : q[2]);
        Dim heads = flat ? queryHeads : q[1], own = flat ? keyHeads : k[1];
        var keySize = flat ? Dim.FloorDiv(k[2], keyHeads) : k[3];
        var valueSize = flat ? Dim.FloorDiv(v[2], keyHeads) : v[3];
        var past = context.Has(4) ? context.Shape(4) is { Rank: 4 } p ? p[2] : Dim.Unknown() : 0;
        var total = past + (flat ? k[1] : k[2]);
        return
        [
            InferredValue.Tensor(context.Element(0), flat ? new Shape(batch, length, heads * valueSize) : new Shape(batch, heads, length, valueSize)),
            InferredValue.Tensor(context.Element(0), new Shape(batch, own, total, keySize)),
            InferredValue.Tensor(context.Element(2), new Shape(batch, own, total, valueSize)),
            InferredValue.Tensor(context.Element(0), new Shape(batch, heads, length, total)),
        ];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        RequireRanks((int)inputs[0]!.dim(), (int)inputs[1]!.dim(), (int)inputs[2]!.dim());
        var flat = inputs[0]!.dim() == 3;
        var (q, k, v) = (Split(inputs[0]!, queryHeads), Split(inputs[1]!, keyHeads), Split(inputs[2]!, keyHeads));
        var (presentKey, presentValue) = (Append(inputs.At(4), k, "past_key"), Append(inputs.At(5), v, "past_value"));
        var (shape, keys, values) = (q.shape, presentKey.shape, presentValue.shape);
        if (keys[0] != shape[0] || values[0] != shape[0] || keys[1] == 0 || keys[1] != values[1] || shape[1] % keys[1] != 0 || keys[2] != values[2] || keys[3] != shape[3])
            throw Error($"Q {q.Text()}, K {presentKey.Text()} and V {presentValue.Text()} do not fit; heads of Q must be a multiple of those of K and V.");

        var factor = Math.Sqrt(scale ?? 1 / Math.Sqrt(shape[3]));
        var (key, value) = (Repeat(presentKey, shape[1] / keys[1]), Repeat(presentValue, shape[1] / keys[1]));
        var scores = q.Times(factor).MatrixTimes(key.transpose(-1, -2).Times(factor));
        var stages = new Tensor[4];
        stages[0] = scores;
        stages[1] = softcap > 0 ? scores.Times(1 / softcap).tanh().Times(softcap) : scores;
        var bias = Bias(inputs, stages[1], shape, keys[2]);
        stages[2] = bias is null ? stages[1] : stages[1].Plus(bias);
        var exact = precision is { } type ? stages[2].to(type.ToTorch()) : stages[2];
        stages[3] = Softmax(exact, bias).to(q.dtype);
        var y = stages[3].to(value.dtype).MatrixTimes(value);
        return [flat ? y.transpose(1, 2).reshape(shape[0], shape[2], -1) : y, presentKey, presentValue, stages[stage]];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        // Every output but Y is optional, so that what the node declares does not tell the shapes of K, V and the scores.
        Infer(context) is [_, { Shape: { } key }, { Shape: { } value }, { Shape: { } scores }] ? scores.Size() * (key[3] + value[3]) : Dim.Unknown();

    // Scores, with bias and before the softmax, and the softmax.
    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        Workload.Of(3 * Workload.Count(Infer(context).ElementAtOrDefault(3)?.Shape));

    private static Tensor Softmax(Tensor scores, Tensor? bias)
    {
        if (bias is null)
            return scores.softmax(-1, scores.dtype);
        // What only -inf is added to sees nothing; its softmax would be NaN, and so its gradient.
        var blind = bias.eq(Scalars.Of(double.NegativeInfinity)).all(-1, keepdim: true);
        return scores.masked_fill(blind, Scalars.Of(0.0)).softmax(-1, scores.dtype).masked_fill(blind, Scalars.Of(0.0));
    }

    private Tensor? Bias(IReadOnlyList<Tensor?> inputs, Tensor scores, long[] query, long total)
    {
        var device = scores.device;
        var bias = inputs.At(3) is { } mask ? Mask(mask, scores, total) : null;
        var padded = inputs.At(6);
        if (padded is not null && (padded.dim() != 1 || padded.shape[0] != query[0]))
            throw Error($"nonpad_kv_seqlen {padded.Text()} must be [{query[0]}].");
        var hidden = Hidden(inputs, padded?.to(ScalarType.Int64).reshape(-1, 1, 1, 1), query[2], total, device);
        if (hidden is null)
            return bias;
        var closed = zeros(hidden.shape, scores.dtype, device).masked_fill(hidden, Scalars.Of(double.NegativeInfinity));
        return bias is null ? closed : bias.Plus(closed);
    }

    // Where a query [..,L,1] must not see a key [..,1,S].
    private Tensor? Hidden(IReadOnlyList<Tensor?> inputs, Tensor? padded, long length, long total, Device device)
    {
        Tensor? hidden = null;
        var column = TensorArithmetic.Arange(total, device);
        if (causal || left >= 0 || right >= 0)
        {
            var row = TensorArithmetic.Arange(length, device).unsqueeze(1);
            row = inputs.At(4) is { } past ? row.Plus(past.shape[2]) : padded is not null ? row.Plus(padded).Minus(length) : row;
            if (causal)
                hidden = column.gt(row);
            if (right >= 0)
                hidden = Or(hidden, column.gt(row.Plus(right)));
            if (left >= 0)
                hidden = Or(hidden, column.lt(row.Minus(left)));
        }

        return padded is null ? hidden : Or(hidden, column.ge(padded));

        static Tensor Or(Tensor? a, Tensor b) => a is null ? b : a.logical_or(b);
    }

    private Tensor Mask(Tensor mask, Tensor scores, long total)
    {
        var open = scores.shape;
        var missing = mask.dim() == 0 ? 0 : total - mask.shape[^1];
        var bias = mask.dtype == ScalarType.Bool
            ? zeros(mask.shape, scores.dtype, scores.device).masked_fill(mask.logical_not(), Scalars.Of(double.NegativeInfinity))
            : mask.to(scores.dtype);
        if (missing > 0 && mask.shape[^1] > 1)
        {
            long[] rest = [.. mask.shape[..^1], missing];
            bias = cat([bias, zeros(rest, scores.dtype, scores.device).masked_fill(ones(rest, ScalarType.Bool, scores.device), Scalars.Of(double.NegativeInfinity))], -1);
        }

        return Rules.BroadcastsTo(bias.shape, open) ? bias : throw Error($"attn_mask {mask.Text()} does not broadcast to scores {scores.Text()}.");
    }

    private Tensor Split(Tensor x, long heads)
    {
        if (x.dim() == 4)
            return x;
        return x.shape[2] % heads == 0
            ? x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)
            : throw Error($"{x.Text()} does not divide into {heads} heads.");
    }

    private Tensor Append(Tensor? past, Tensor x, string name)
    {
        if (past is null)
            return x;
        if (past.dim() != 4 || past.dtype != x.dtype || !past.shape.Where((_, i) => i != 2).SequenceEqual(x.shape.Where((_, i) => i != 2)))
            throw Error($"{name} {past.Text()} and {x.Text()} differ in more than the third axis.");
        return cat([past, x], 2);
    }

    private static Tensor Repeat(Tensor x, long times)
    {
        if (times == 1)
            return x;
        var s = x.shape;
        return x.unsqueeze(2).expand(s[0], s[1], times, s[2], s[3]).reshape(s[0], s[1] * times, s[2], s[3]);
    }

    private void RequireRanks(int q, int k, int v)
    {
        if (q is not (3 or 4) || k != q || v != q)
            throw Error($"Q, K and V have the ranks {q}, {k} and {v}; all must have 3 or all 4.");
        if (q == 3 && (queryHeads < 1 || keyHeads < 1))
            throw Error("inputs of three axes need the attributes q_num_heads and kv_num_heads.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Attention", [23, 24, 25], node => new Attention(node))];
    }
}
