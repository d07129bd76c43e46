using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators;

/// <summary>Elements of small integer tensors in type rules, where shapes are computed from shapes.</summary>
internal static class KnownElements
{
    /// <summary>Larger tensors are no shapes: their elements are not followed.</summary>
    public const int Limit = 64;

    /// <summary>The elements of an input, from the rules or from the constant it holds; null where unknown.</summary>
    public static IReadOnlyList<Dim>? Of(InferenceContext context, int index) => context.Elements(index) ?? Of(context.Constant(index));

    /// <summary>The elements of a small integer or bool constant.</summary>
    public static IReadOnlyList<Dim>? Of(TensorData? constant) =>
        constant is { ElementCount: <= Limit } && (constant.Type.IsInteger() || constant.Type == ElementType.Bool) && constant.Type != ElementType.UInt64
            ? [.. constant.ToInt64s().Select(Dim.Known)]
            : null;

    /// <summary>The elements of an input as numbers; null where one is unknown.</summary>
    public static long[]? Numbers(InferenceContext context, int index) =>
        Of(context, index) is { } elements && elements.All(e => e.IsKnown) ? [.. elements.Select(e => e.Value)] : null;

    /// <summary>The elements of a vector: those known, or as many unknown ones as the input's shape says; null where even that is open.</summary>
    public static IReadOnlyList<Dim>? VectorOf(InferenceContext context, int index) =>
        Of(context, index) ?? (context.Shape(index) is { Rank: 1 } shape && shape[0].ValueOrNull is >= 0 and <= Limit and { } count ? Unknown((int)count) : null);

    /// <summary>Extents nothing is known about.</summary>
    public static Dim[] Unknown(int count)
    {
        var result = new Dim[count];
        for (var i = 0; i < count; i++)
            result[i] = Dim.Unknown();
        return result;
    }

    /// <summary>Elementwise arithmetic; null where the elements or their order cannot be told, or a result leaves the element type.</summary>
    public static IReadOnlyList<Dim>? Combine(ElementType type, IReadOnlyList<Dim>? a, IReadOnlyList<Dim>? b, Func<Dim, Dim, Dim?> rule)
    {
        if (a is null || b is null || type is not (ElementType.Int64 or ElementType.Int32 or ElementType.Bool))
            return null;
        if (a.Count != b.Count && a.Count != 1 && b.Count != 1)
            return null;
        var result = new Dim[a.Count == 1 ? b.Count : a.Count];
        for (var i = 0; i < result.Length; i++)
            result[i] = rule(a[a.Count == 1 ? 0 : i], b[b.Count == 1 ? 0 : i]) ?? Dim.Unknown();
        return Fitting(type, result);
    }

    /// <summary>The elements, or null where a number among them leaves int32 and would wrap around.</summary>
    public static IReadOnlyList<Dim>? Fitting(ElementType type, IReadOnlyList<Dim>? elements) =>
        type == ElementType.Int32 && elements?.Any(e => e.ValueOrNull is < int.MinValue or > int.MaxValue) == true ? null : elements;
}
