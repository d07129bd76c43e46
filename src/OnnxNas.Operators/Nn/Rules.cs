using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>Checks and small rules that the operators here share.</summary>
internal static class Rules
{
    /// <summary>An output with the element type and shape of the first input.</summary>
    public static InferredValue SameAsFirst(this InferenceContext context) => InferredValue.Tensor(context.Element(0), context.Shape(0));

    /// <summary>Input <paramref name="index"/>, or null where it is omitted.</summary>
    public static Tensor? At(this IReadOnlyList<Tensor?> inputs, int index) => index < inputs.Count ? inputs[index] : null;

    /// <summary>The extents of the first output; null where they are not known, or the node does not declare it.</summary>
    public static Shape? FirstShape(this IReadOnlyList<InferredValue?> outputs) => outputs.Count > 0 ? outputs[0]?.Shape : null;

    /// <summary>The axis counted from the front.</summary>
    /// <exception cref="ShapeInferenceException">The axis lies outside <c>[-rank, rank)</c>, or <c>[-rank, rank]</c> where the end is allowed.</exception>
    public static int Axis(long axis, long rank, string op, bool allowEnd = false)
    {
        if (axis < -rank || axis >= rank + (allowEnd ? 1 : 0))
            throw new ShapeInferenceException($"{op}: axis {axis} does not exist in an input of rank {rank}.");
        return (int)(axis < 0 ? axis + rank : axis);
    }

    /// <summary>Fails before libtorch is called with what it would not survive.</summary>
    public static void Require(bool condition, Func<string> message)
    {
        if (!condition)
            throw new ShapeInferenceException(message());
    }

    /// <summary><c>[2,3]</c>.</summary>
    public static string Text(this Tensor tensor) => $"[{string.Join(',', tensor.shape)}]";

    /// <summary>Whether two extents may be equal.</summary>
    public static bool MayEqual(Dim a, Dim b) => !a.IsKnown || !b.IsKnown || a.Value == b.Value;

    /// <summary>Whether <paramref name="shape"/> broadcasts to <paramref name="target"/> without changing it, as far as is known.</summary>
    public static bool MayBroadcastTo(Shape shape, Shape target) =>
        shape.Rank <= target.Rank && shape.Reverse().Zip(target.Reverse()).All(p => p.First.ValueOrNull == 1 || MayEqual(p.First, p.Second));

    /// <summary>Whether a tensor broadcasts to a shape without changing it.</summary>
    public static bool BroadcastsTo(ReadOnlySpan<long> shape, ReadOnlySpan<long> target)
    {
        if (shape.Length > target.Length)
            return false;
        for (var i = 1; i <= shape.Length; i++)
        {
            if (shape[^i] != 1 && shape[^i] != target[^i])
                return false;
        }

        return true;
    }
}
