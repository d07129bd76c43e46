using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// BatchNormalization, versions 6, 7, 9, 14 and 15: X <c>[N,C,..]</c>, scale, B, mean, var <c>[C]</c> to Y <c>[N,C,..]</c>, and in training
/// the next running mean and variance.
/// <para>
/// The run decides, not the file: in a training run batch statistics are used and the outputs are
/// Y, mean·momentum + batch mean·(1 − momentum), and likewise the variance, whether the node declares them or not; in any other run
/// the running statistics are used, whatever <c>training_mode</c> or <c>is_test</c> says. As in ONNX, the batch variance is the population variance.
/// </para>
/// </summary>
internal sealed class BatchNormalization : NamedOperator
{
    private readonly double epsilon;
    private readonly double momentum;
    private readonly bool perActivation;

    private BatchNormalization(NodeReader node) : base(node, 5, 5)
    {
        epsilon = node.Float("epsilon", 1e-5f);
        momentum = node.Float("momentum", 0.9f);
        // Versions 6 and 7 alone can normalise each activation [C,H,W] over the batch only.
        perActivation = node.Version < 9 && !node.Flag("spatial", true);
        node.Ignore(node.Version >= 14 ? ["training_mode"] : node.Version < 7 ? ["is_test"] : []);
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<(int Input, int Output)> Buffers => [(3, 1), (4, 2)];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var statistics = InferredValue.Tensor(context.Element(3), context.Shape(3));
        if (context.Shape(0) is { } x && !perActivation)
        {
            if (x.Rank < 1)
                throw context.Error("X must have at least one axis.");
            var channels = x.Rank == 1 ? 1 : x[1];
            for (var i = 1; i <= 4; i++)
            {
                if (context.Shape(i) is { } p && (p.Rank != 1 || !Rules.MayEqual(p[0], channels)))
                    throw context.Error($"input {i} {p} must be [{channels}], as X is {x}.");
            }
        }

        return [context.SameAsFirst(), statistics, statistics, statistics, statistics];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var extents = x.dim() is 1 || perActivation ? x.shape : null;
        if (extents is null)
            return Normalize(x, inputs, context);
        // One axis is a batch of one channel; per activation, every activation is a channel.
        var flat = x.reshape(x.size(0), -1);
        var outputs = Normalize(flat, [flat, .. inputs.Skip(1).Select(p => p!.reshape(-1))], context);
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = outputs[i]?.reshape(i == 0 ? extents : inputs[3]!.shape);
        return outputs;
    }

    private Tensor?[] Normalize(Tensor x, IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (scale, bias, mean, variance) = (inputs[1]!, inputs[2]!, inputs[3]!, inputs[4]!);
        var channels = x.size(1);
        foreach (var p in (ReadOnlySpan<Tensor>)[scale, bias, mean, variance])
            Rules.Require(p.dim() == 1 && p.size(0) == channels, () => $"BatchNormalization: X {x.Text()} takes parameters [{channels}], got {p.Text()}.");
        // Libtorch wants the parameters all in X's type, or all in float32 beside a 16-bit X.
        var type = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : x.dtype;
        var castScale = scale.dtype == type ? null : scale.to(type);
        var castBias = bias.dtype == type ? null : bias.to(type);
        if (context.Training)
            return Train(x, castScale ?? scale, castBias ?? bias, mean, variance, context);
        var castMean = mean.dtype == type ? null : mean.to(type);
        var castVariance = variance.dtype == type ? null : variance.to(type);
        var y = mean.requires_grad || variance.requires_grad
            ? Affine(x, mean, variance, scale, bias)
            : nn.functional.batch_norm(x, castMean ?? mean, castVariance ?? variance, castScale ?? scale, castBias ?? bias, training: false, 0, epsilon);
        // The executor may own both sides, so the statistics go out as aliases.
        return context.OutputCount > 1 ? [y, mean.alias(), variance.alias()] : [y];
    }

    private Tensor?[] Train(Tensor x, Tensor scale, Tensor bias, Tensor mean, Tensor variance, RunContext context)
    {
        // Libtorch moves these from zero all the way (momentum 1) to the batch's own statistics, in the pass it makes anyway.
        var (batchMean, unbiased) = (zeros_like(scale), zeros_like(scale));
        var y = nn.functional.batch_norm(x, batchMean, unbiased, scale, bias, training: true, 1, epsilon);
        using var still = no_grad();
        var count = x.numel() / Math.Max(1, x.size(1));
        // The batch's variance comes out divided by count - 1; of one element it is 0, not 0/0.
        var batchVariance = count > 1 ? unbiased.Times((count - 1.0) / count) : zeros_like(unbiased);
        var nextMean = Next(mean, batchMean);
        var nextVariance = Next(variance, batchVariance);
        Tensor?[] all = [y, nextMean, nextVariance, batchMean, batchVariance];
        return all[..Math.Clamp(context.OutputCount, 3, 5)];
    }

    // Libtorch's kernel passes no gradient to running statistics, which a graph may well compute.
    private Tensor Affine(Tensor x, Tensor mean, Tensor variance, Tensor scale, Tensor bias)
    {
        long[] along = [1, -1, .. Enumerable.Repeat(1L, (int)x.dim() - 2)];
        var factor = scale * variance.Plus(epsilon).rsqrt();
        return (x * factor.reshape(along)).Plus((bias - mean * factor).reshape(along)).to(x.dtype);
    }

    private Tensor Next(Tensor running, Tensor batch) => running.Times(momentum).Plus(batch.to(running.dtype).Times(1 - momentum));

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("BatchNormalization", [6, 7, 9, 14, 15], node => new BatchNormalization(node)) { Ranges = [new(4, 1, 2, true)] }];
    }
}
