using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>
/// How operators of two inputs broadcast before version 7: not at all, or, with <c>broadcast</c>, B against a run of A's axes that starts
/// at <c>axis</c> (by default the last ones). The result has A's shape.
/// </summary>
internal sealed class LimitedBroadcast
{
    /// <summary>The first version of these operators that broadcasts both inputs, aligned at the last axis.</summary>
    private const int Multidirectional = 7;

    private readonly bool allowed;
    private readonly long? axis;

    private LimitedBroadcast(NodeReader node)
    {
        allowed = node.Flag("broadcast", false);
        axis = node.Has("axis") ? node.Int("axis") : null;
    }

    /// <summary>The rule of a node; null from version 7 on.</summary>
    public static LimitedBroadcast? Read(NodeReader node) => node.Version < Multidirectional ? new(node) : null;

    /// <summary>The shape of the result, which is A's; null where it is unknown.</summary>
    public Shape? Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } a && context.Shape(1) is { } b && b.All(d => d.IsKnown) && a.All(d => d.IsKnown))
            _ = Place([.. a.Select(d => d.Value)], [.. b.Select(d => d.Value)], context.Error);
        return context.Shape(0);
    }

    /// <summary>B with axes added behind it, so that it broadcasts against A as libtorch does it.</summary>
    public Tensor Place(Tensor a, Tensor b, Func<string, Exception> error) => b.reshape(Place(a.shape, b.shape, error));

    private long[] Place(long[] a, long[] b, Func<string, Exception> error)
    {
        if (a.AsSpan().SequenceEqual(b))
            return b;
        Exception Refused(string why) => error($"B [{string.Join(',', b)}] does not fit A [{string.Join(',', a)}]: {why}");
        if (!allowed)
            throw Refused("before opset 7 shapes must be equal unless the attribute 'broadcast' is 1.");
        // A single number fits everywhere, whatever its rank.
        if (b.All(extent => extent == 1) && b.Length <= a.Length)
            return [.. Enumerable.Repeat(1L, a.Length)];
        var first = axis is { } given ? given < 0 ? given + a.Length : given : a.Length - b.Length;
        if (first < 0 || first > a.Length - b.Length)
            throw Refused($"it has no room at axis {first}.");
        for (var i = 0; i < b.Length; i++)
        {
            if (b[i] != 1 && b[i] != a[first + i])
                throw Refused($"extent {i} meets axis {first + i}; they must be equal, or B's 1.");
        }

        return [.. b, .. Enumerable.Repeat(1L, (int)(a.Length - b.Length - first))];
    }
}
