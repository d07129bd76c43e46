using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Attention;

/// <summary>
/// LinearAttention, version 27: queries <c>[B,T,Hq·D]</c> read a state <c>[B,H,D,E]</c> that every position changes by its key <c>[B,T,H·D]</c>,
/// value <c>[B,T,H·E]</c>, decay <c>[B,T,H·D]</c> or <c>[B,T,H]</c> and beta <c>[B,T,H]</c> or <c>[B,T,1]</c>. Hq is a multiple of H. The outputs
/// are scale·q·S of every position, <c>[B,T,Hq·E]</c>, and the last state. 16-bit numbers are computed in float32.
/// </summary>
internal sealed class LinearAttention : NamedOperator
{
    private const int PastInput = 3;
    private const int DecayInput = 4;
    private const int BetaInput = 5;

    private readonly long queryHeads;
    private readonly long heads;
    private readonly double scale;
    private readonly bool decays;
    private readonly bool corrects;

    private LinearAttention(NodeReader node) : base(node, 3, 6)
    {
        queryHeads = node.Int("q_num_heads");
        heads = node.Int("kv_num_heads");
        scale = node.Float("scale", 0);
        // How many positions a kernel may take at once; the results are the same.
        node.Ignore("chunk_size");
        (decays, corrects) = node.String("update_rule", "gated_delta") switch
        {
            "linear" => (false, false),
            "gated" => (true, false),
            "delta" => (false, true),
            "gated_delta" => (true, true),
            var other => throw node.Unsupported($"update_rule '{other}' is not one of linear, gated, delta, gated_delta."),
        };
        if (heads < 1 || queryHeads < 1 || queryHeads % heads != 0)
            throw node.Malformed($"q_num_heads is {queryHeads} and kv_num_heads {heads}; they must be positive, the first a multiple of the second.");
        if (node.HasInput(DecayInput) != decays || node.HasInput(BetaInput) != corrects)
            throw node.Malformed($"update_rule '{node.String("update_rule", "gated_delta")}' takes {(decays ? "a" : "no")} decay and {(corrects ? "a" : "no")} beta.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var (q, k, v, past) = (context.Shape(0), context.Shape(1), context.Shape(2), context.Shape(PastInput));
        var stateType = context.Element(context.Has(PastInput) ? PastInput : 0);
        if (q is { Rank: not 3 } || k is { Rank: not 3 } || v is { Rank: not 3 } || past is { Rank: not 4 })
            throw Error($"query {q}, key {k} and value {v} must have three axes each, the past {past} four.");
        if (q is null || v is null)
            return [InferredValue.Tensor(context.Element(0), null), InferredValue.Tensor(stateType, past)];
        var (keySize, valueSize) = (Dim.FloorDiv(q[2], queryHeads), Dim.FloorDiv(v[2], heads));
        return
        [
            InferredValue.Tensor(context.Element(0), new Shape(q[0], q[1], valueSize * queryHeads)),
            InferredValue.Tensor(stateType, new Shape(q[0], heads, keySize, valueSize)),
        ];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (query, type) = (inputs[0]!, inputs[0]!.dtype);
        if (inputs.Where((input, i) => i != PastInput && input is not null).Any(input => input!.dtype != type))
            throw Error("query, key, value, decay and beta differ in their element types; cast them to one.");
        var shape = query.shape;
        if (shape.Length != 3 || shape[2] == 0 || shape[2] % queryHeads != 0)
            throw Error($"query {query.Text()} must be [B,T,{queryHeads}·D], D positive.");
        var (batch, length, size) = (shape[0], shape[1], shape[2] / queryHeads);
        var values = Sized(inputs, 2, "value", shape);
        if (values.shape[2] % heads != 0)
            throw Error($"value {values.Text()} must be [{batch},{length},{heads}·E].");
        var valueSize = values.shape[2] / heads;
        var working = LayerNormalization.Working(type, ElementType.Float32);

        // Heads of queries that read one state lie side by side, as its rows.
        var q = Steps(query, heads, queryHeads / heads, size);
        var k = Steps(Sized(inputs, 1, "key", shape, heads * size), heads, 1, size);
        var v = Steps(values, heads, 1, valueSize);
        var decay = decays ? Sized(inputs, DecayInput, "decay", shape, heads * size, heads) : null;
        var factors = decay is null ? [] : Steps(decay, heads, decay.shape[2] / heads, 1).Select(g => g.exp()).ToArray();
        var beta = corrects ? Sized(inputs, BetaInput, "beta", shape, heads, 1) : null;
        var strengths = beta is null ? [] : Steps(beta, beta.shape[2], 1, 1);

        var state = Start(inputs.At(PastInput), [batch, heads, size, valueSize], query).to(working);
        var reads = new Tensor[length];
        for (var t = 0; t < length; t++)
        {
            if (decays)
                state = state * factors[t];
            var written = corrects ? strengths[t] * (v[t] - k[t].MatrixTimes(state)) : v[t];
            state = state.Plus(k[t].transpose(-1, -2) * written);
            reads[t] = q[t].MatrixTimes(state);
        }

        long[] result = [batch, length, queryHeads * valueSize];
        var factor = scale == 0 ? 1 / Math.Sqrt(size) : scale;
        var y = length == 0 ? zeros(result, type, query.device) : stack(reads, 1).Times(factor).reshape(result).to(type);
        return [y, state.to(inputs.At(PastInput)?.dtype ?? type)];

        // A tensor [B,rows,columns,last] per position.
        Tensor[] Steps(Tensor x, long rows, long columns, long last) =>
            length == 0 ? [] : x.to(working).reshape(batch, length, rows, columns, last).unbind(1);
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        // The state is an optional output, so that the node may declare none.
        if (context.Shape(0) is not { } q || Infer(context) is not [_, { Shape: { } state }])
            return Dim.Unknown();
        // Each position writes every state once, reads it once by every head of queries, and once by its key where the rule corrects.
        return q[0] * q[1] * state[2] * state[3] * (heads * (corrects ? 2 : 1) + queryHeads);
    }

    private Tensor Start(Tensor? past, long[] expected, Tensor query)
    {
        if (past is null)
            return zeros(expected, query.dtype, query.device);
        return past.is_floating_point() && past.shape.AsSpan().SequenceEqual(expected)
            ? past
            : throw Error($"past_state {past.Text()} of {past.dtype.ToElementType()} must be floating-point numbers [{string.Join(',', expected)}].");
    }

    private Tensor Sized(IReadOnlyList<Tensor?> inputs, int index, string name, long[] query, params ReadOnlySpan<long> sizes)
    {
        var x = inputs[index]!;
        var extents = x.shape;
        if (extents.Length != 3 || extents[0] != query[0] || extents[1] != query[1] || !sizes.IsEmpty && !sizes.Contains(extents[2]))
            throw Error($"{name} {x.Text()} must be [{query[0]},{query[1]},{(sizes.IsEmpty ? "E" : string.Join(" or ", sizes.ToArray()))}] for this query.");
        return x;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("LinearAttention", [27], node => new LinearAttention(node))];
    }
}
