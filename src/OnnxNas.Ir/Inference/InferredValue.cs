namespace OnnxNas.Ir.Inference;

/// <summary>
/// What is known of a value before it is computed: its type, and for small integer tensors
/// (shape computations) its elements in row-major order, which may be symbolic.
/// </summary>
public sealed record InferredValue(OnnxType? Type, IReadOnlyList<Dim>? Elements = null)
{
    /// <summary>A tensor.</summary>
    public static InferredValue Tensor(ElementType element, Shape? shape) => new(new TensorType(element, shape));

    /// <summary>An int64 vector of known (perhaps symbolic) elements.</summary>
    public static InferredValue Vector(IReadOnlyList<Dim> elements) => new(new TensorType(ElementType.Int64, new Shape(elements.Count)), elements);

    /// <summary>The element type; undefined where it is no tensor.</summary>
    public ElementType Element => (Type as TensorType)?.Element ?? ElementType.Undefined;

    /// <summary>The extents, or null where the rank is unknown.</summary>
    public Shape? Shape => (Type as TensorType)?.Shape;
}
