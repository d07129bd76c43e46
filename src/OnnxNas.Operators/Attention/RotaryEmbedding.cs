using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Attention;

/// <summary>
/// RotaryEmbedding, version 23: X <c>[B,H,S,E]</c>, or <c>[B,S,H·E]</c> with <c>num_heads</c>, whose pairs of elements are turned by an angle
/// per position; cosines and sines <c>[P,R/2]</c> are looked up by position_ids <c>[B,S]</c>, or given as <c>[B,S,R/2]</c>. The first R elements
/// are turned, all where <c>rotary_embedding_dim</c> is 0.
/// </summary>
internal sealed class RotaryEmbedding : NamedOperator
{
    private readonly long heads;
    private readonly long rotated;
    private readonly bool interleaved;

    private RotaryEmbedding(NodeReader node) : base(node, 3, 4)
    {
        heads = node.Int("num_heads", 0);
        rotated = node.Int("rotary_embedding_dim", 0);
        interleaved = node.Flag("interleaved", false);
        if (heads < 0 || rotated < 0 || rotated % 2 != 0)
            throw node.Malformed($"num_heads is {heads} and rotary_embedding_dim {rotated}; they must not be negative, and the second even.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [context.SameAsFirst()];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var shape = x.shape;
        if (shape.Length is not (3 or 4) || shape.Length == 3 && (heads == 0 || shape[2] % heads != 0))
            throw Error($"X {x.Text()} must have four axes, or three with a num_heads that divides the last.");
        var split = shape.Length == 3 ? x.reshape(shape[0], shape[1], heads, -1) : x.transpose(1, 2);
        var size = split.shape[3];
        var part = rotated == 0 ? size : rotated;
        if (part > size || part % 2 != 0)
            throw Error($"{part} elements of heads of {size} cannot be turned in pairs.");
        var (cosine, sine) = (Angles(inputs, 1, shape[0], split.shape[1], part / 2), Angles(inputs, 2, shape[0], split.shape[1], part / 2));
        var turned = split.narrow(3, 0, part);
        var pairs = interleaved ? turned.reshape([.. split.shape[..3], part / 2, 2]) : turned.reshape([.. split.shape[..3], 2, part / 2]);
        var along = interleaved ? 4 : 3;
        var (a, b) = (pairs.select(along, 0), pairs.select(along, 1));
        var result = stack([a * cosine - b * sine, (a * sine).Plus(b * cosine)], along).reshape(turned.shape);
        if (part < size)
            result = cat([result, split.narrow(3, part, size - part)], 3);
        return [shape.Length == 3 ? result.reshape(shape) : result.transpose(1, 2)];
    }

    // [B,S,1,R/2]
    private Tensor Angles(IReadOnlyList<Tensor?> inputs, int index, long batch, long length, long half)
    {
        var cache = inputs[index]!;
        if (inputs.At(3) is { } positions)
        {
            if (cache.dim() != 2 || cache.shape[1] != half || !positions.shape.SequenceEqual([batch, length]))
                throw Error($"input {index} {cache.Text()} must be [positions,{half}], and position_ids {positions.Text()} [{batch},{length}].");
            var rows = Movement.Indices.Positive(positions, cache.shape[0], Error).reshape(-1);
            return cache.index_select(0, rows).reshape(batch, length, 1, half);
        }

        return cache.shape.SequenceEqual([batch, length, half]) ? cache.unsqueeze(2) : throw Error($"input {index} {cache.Text()} must be [{batch},{length},{half}].");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("RotaryEmbedding", [23], node => new RotaryEmbedding(node))];
    }
}
