using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Recurrent;

/// <summary>
/// What RNN, GRU and LSTM share: X <c>[T,N,I]</c>, W <c>[D,G·H,I]</c>, R <c>[D,G·H,H]</c>, B <c>[D,2·G·H]</c>, sequence_lens <c>[N]</c> and
/// initial states <c>[D,N,H]</c> to Y <c>[T,D,N,H]</c> and the last states <c>[D,N,H]</c>; with <c>layout</c> 1 the batch axis N comes first.
/// D is 2 for <c>bidirectional</c>. Behind the end of a sequence Y is 0 and the states stand still.
/// </summary>
internal abstract class RecurrentLayer : NamedOperator
{
    private readonly int gates;
    private readonly int states;
    private readonly long? hidden;
    private readonly double clip;
    private readonly bool batchFirst;
    private readonly bool reverse;

    /// <summary>Reads what the three have in common; <paramref name="gates"/> is G, <paramref name="states"/> the number of carried states.</summary>
    protected RecurrentLayer(NodeReader node, int gates, int states) : base(node, 3, states == 2 ? 8 : 6)
    {
        this.gates = gates;
        this.states = states;
        hidden = node.Has("hidden_size") ? node.Int("hidden_size") : null;
        clip = node.Has("clip") ? node.Float("clip", 0) : 0;
        if (!(clip >= 0))
            throw node.Malformed($"clip is {clip}; it must not be negative.");
        batchFirst = node.Version >= 14 && node.Flag("layout", false);
        // It said that Y may be left out; that the node names no such output says the same.
        if (node.Version < 7)
            node.Ignore("output_sequence");
        var direction = node.String("direction", "forward");
        if (direction is not ("forward" or "reverse" or "bidirectional"))
            throw node.Malformed($"direction '{direction}' is not one of forward, reverse, bidirectional.");
        reverse = direction == "reverse";
        Directions = direction == "bidirectional" ? 2 : 1;
    }

    /// <summary>1, or 2 for a bidirectional layer.</summary>
    protected int Directions { get; }

    public override IReadOnlyList<int> ParameterInputs => states == 2 ? [1, 2, 3, 7] : [1, 2, 3];

    /// <summary>The states after one step; the first is what the layer puts out. <paramref name="input"/> is X·Wᵀ plus the bias of W, <c>[N,G·H]</c>.</summary>
    protected abstract Tensor[] Step(Tensor input, Tensor[] state, Weights weights);

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var (x, w, r) = (context.Shape(0), context.Shape(1), context.Shape(2));
        if (x is { Rank: not 3 } || w is { Rank: not 3 } || r is { Rank: not 3 })
            throw Error($"X {x}, W {w} and R {r} must have three axes each.");
        var size = hidden is { } h ? Dim.Known(h) : r?[2] ?? Dim.Unknown();
        if (w is not null && r is not null && x is not null
            && !(Fits(w, Directions, size * gates, x[2]) && Fits(r, Directions, size * gates, size)))
            throw Error($"X {x}, W {w} and R {r} do not fit {Directions} directions of {gates} gates and hidden size {size}.");
        var (steps, batch) = x is null ? (Dim.Unknown(), Dim.Unknown()) : batchFirst ? (x[1], x[0]) : (x[0], x[1]);
        var y = batchFirst ? new Shape(batch, steps, Directions, size) : new Shape(steps, Directions, batch, size);
        var last = batchFirst ? new Shape(batch, Directions, size) : new Shape(Directions, batch, size);
        return [InferredValue.Tensor(context.Element(0), y), .. Enumerable.Repeat(InferredValue.Tensor(context.Element(0), last), states)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = batchFirst && inputs[0]!.dim() == 3 ? inputs[0]!.transpose(0, 1) : inputs[0]!;
        var size = Check(x, inputs);
        var (steps, batch) = (x.shape[0], x.shape[1]);
        var masks = Masks(inputs.At(4), steps, batch);
        var outputs = new List<Tensor>();
        var last = Enumerable.Range(0, states).Select(_ => new List<Tensor>()).ToArray();
        for (var d = 0; d < Directions; d++)
        {
            var bias = inputs.At(3)?.select(0, d);
            var input = x.MatrixTimes(inputs[1]!.select(0, d).t());
            if (bias is not null)
                input = input.Plus(bias.narrow(0, 0, gates * size));
            var weights = new Weights(inputs[2]!.select(0, d), bias?.narrow(0, gates * size, gates * size), inputs.At(7)?.select(0, d), size, d, Math.Max(0, clip));
            var state = Enumerable.Range(0, states)
                .Select(s => inputs.At(5 + s) is { } start ? start.select(batchFirst ? 1 : 0, d) : zeros([batch, size], x.dtype, x.device)).ToArray();
            var made = new Tensor[steps];
            for (long i = 0; i < steps; i++)
            {
                var t = reverse || d == 1 ? steps - 1 - i : i;
                var next = Step(input.select(0, t), state, weights);
                made[t] = masks is null ? next[0] : where(masks[t], next[0], zeros_like(next[0]));
                state = masks is null ? next : [.. next.Zip(state, (n, s) => where(masks[t], n, s))];
            }

            outputs.Add(stack(made, 0));
            for (var s = 0; s < states; s++)
                last[s].Add(state[s]);
        }

        var y = stack(outputs, 1);
        return [batchFirst ? y.permute(2, 0, 1, 3) : y, .. last.Select(s => stack(s, batchFirst ? 1 : 0))];
    }

    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { } x || context.Shape(1) is not { } w || context.Shape(2) is not { } r)
            return Dim.Unknown();
        return x[0] * x[1] * w[0] * (w[1] * w[2] + r[1] * r[2]);
    }

    private static bool Fits(Shape shape, params ReadOnlySpan<Dim> extents)
    {
        var fits = true;
        for (var i = 0; i < extents.Length; i++)
            fits &= Rules.MayEqual(shape[i], extents[i]);
        return fits;
    }

    private long Check(Tensor x, IReadOnlyList<Tensor?> inputs)
    {
        var r = inputs[2]!;
        var size = hidden ?? (r.dim() == 3 ? r.shape[2] : -1);
        if (x.dim() != 3 || size < 1 || x.shape[0] == 0)
            throw Error($"X {inputs[0]!.Text()} must have three axes and one step at least, and R {r.Text()} a hidden size above 0.");
        var batch = x.shape[1];
        long[] state = batchFirst ? [batch, Directions, size] : [Directions, batch, size];
        Require(1, "W", Directions, gates * size, x.shape[2]);
        Require(2, "R", Directions, gates * size, size);
        Require(3, "B", Directions, 2 * gates * size);
        Require(4, "sequence_lens", batch);
        Require(5, "initial_h", state);
        Require(6, "initial_c", state);
        Require(7, "P", Directions, 3 * size);
        return size;

        void Require(int index, string name, params ReadOnlySpan<long> expected)
        {
            if (inputs.At(index) is { } given && (!given.shape.AsSpan().SequenceEqual(expected) || index != 4 && given.dtype != x.dtype))
                throw Error($"{name} is {given.dtype} {given.Text()}; it must be {x.dtype} [{string.Join(',', expected.ToArray())}].");
        }
    }

    // For each step, which sequences [N,1] still run; null where all do.
    private Tensor[]? Masks(Tensor? lengths, long steps, long batch)
    {
        if (lengths is null)
            return null;
        var numbers = lengths.ToInt64s();
        if (numbers.Any(n => n < 0 || n > steps))
            throw Error($"sequence_lens [{string.Join(',', numbers)}] must lie in 0 to {steps}.");
        return numbers.All(n => n == steps)
            ? null
            : [.. Enumerable.Range(0, (int)steps).Select(t => tensor(numbers.Select(n => t < n).ToArray(), device: lengths.device).reshape(batch, 1))];
    }

    /// <summary>The weights of one direction.</summary>
    /// <param name="R">Of the state, <c>[G·H,H]</c>.</param>
    /// <param name="Bias">The bias of R, <c>[G·H]</c>.</param>
    /// <param name="Peepholes">Of an LSTM, <c>[3·H]</c>.</param>
    /// <param name="Size">H.</param>
    /// <param name="Direction">0, or 1 for the second.</param>
    /// <param name="Clip">The bound of what goes into an activation; 0 for none.</param>
    protected sealed record Weights(Tensor R, Tensor? Bias, Tensor? Peepholes, long Size, int Direction, double Clip)
    {
        /// <summary>Gates <paramref name="from"/> to before <paramref name="to"/> of the state: state·Rᵀ plus the bias of R.</summary>
        public Tensor OfState(Tensor state, int from, int to)
        {
            var product = state.MatrixTimes(R.narrow(0, from * Size, (to - from) * Size).t());
            return Bias is null ? product : product.Plus(Bias.narrow(0, from * Size, (to - from) * Size));
        }

        /// <summary>Gate <paramref name="gate"/> of <c>[N,G·H]</c>.</summary>
        public Tensor Gate(Tensor all, int gate) => all.narrow(1, gate * Size, Size);

        /// <summary>The weights that let a gate see the cell; null without.</summary>
        public Tensor? Peephole(int index) => Peepholes?.narrow(0, index * Size, Size);

        /// <summary>What goes into an activation, within the bound.</summary>
        public Tensor Clipped(Tensor x) => Clip > 0 ? x.clamp(Scalars.Of(-Clip), Scalars.Of(Clip)) : x;
    }
}
