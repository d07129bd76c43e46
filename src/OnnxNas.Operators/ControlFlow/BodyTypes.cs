using OnnxNas.Ir;

namespace OnnxNas.Operators.ControlFlow;

/// <summary>What the types of a body's values say of a node's.</summary>
internal static class BodyTypes
{
    /// <summary>A type that holds whichever of two holds; null where they share nothing.</summary>
    public static OnnxType? Either(OnnxType? a, OnnxType? b)
    {
        if (a is not TensorType x || b is not TensorType y || x.Element != y.Element)
            return a is not null && a.Equals(b) ? a : null;
        return x with { Shape = Either(x.Shape, y.Shape) };
    }

    /// <summary>A tensor type with another shape.</summary>
    public static OnnxType? Reshaped(OnnxType? type, Func<Shape, IEnumerable<Dim>> change) =>
        type is TensorType tensor ? tensor with { Shape = tensor.Shape is { } shape ? new Shape(change(shape)) : null } : type;

    /// <summary>Without a shape: what a value carried from one iteration to the next surely keeps.</summary>
    public static OnnxType? ElementOnly(OnnxType? type) => type is TensorType tensor ? tensor with { Shape = null } : type;

    private static Shape? Either(Shape? a, Shape? b) =>
        a is null || b is null || a.Rank != b.Rank ? null : new Shape(a.Zip(b, (x, y) => x.Equals(y) ? x : Dim.Unknown()));
}
