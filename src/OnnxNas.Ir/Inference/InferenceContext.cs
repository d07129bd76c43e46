namespace OnnxNas.Ir.Inference;

/// <summary>What a type rule sees: the node, and what is known of its inputs.</summary>
public sealed class InferenceContext
{
    private readonly IReadOnlyList<InferredValue?> inputs;
    private readonly IReadOnlyList<TensorData?> constants;

    /// <summary>A context. A null input is omitted; a null constant is not known before running.</summary>
    public InferenceContext(Node node, IReadOnlyList<InferredValue?> inputs, IReadOnlyList<TensorData?> constants)
    {
        Node = node;
        this.inputs = inputs;
        this.constants = constants;
    }

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>Number of inputs, omitted ones in between included.</summary>
    public int InputCount => inputs.Count;

    /// <summary>Whether input <paramref name="index"/> is given.</summary>
    public bool Has(int index) => index < inputs.Count && inputs[index] is not null;

    /// <summary>What is known of input <paramref name="index"/>; an omitted one is wholly unknown.</summary>
    public InferredValue Input(int index) => (index < inputs.Count ? inputs[index] : null) ?? new InferredValue(null);

    /// <summary>The extents of an input, or null where the rank is unknown.</summary>
    public Shape? Shape(int index) => Input(index).Shape;

    /// <summary>The element type of an input; undefined where unknown.</summary>
    public ElementType Element(int index) => Input(index).Element;

    /// <summary>The constant an input holds, or null where it is not known before running.</summary>
    public TensorData? Constant(int index) => index < constants.Count ? constants[index] : null;

    /// <summary>The elements of a small integer input, perhaps symbolic; null where unknown.</summary>
    public IReadOnlyList<Dim>? Elements(int index) => Input(index).Elements;

    /// <summary>The elements of a small integer input as numbers; null where one is unknown.</summary>
    public long[]? Integers(int index) =>
        Elements(index) is { } elements && elements.All(e => e.IsKnown) ? [.. elements.Select(e => e.Value)] : null;

    /// <summary>An error that names the node.</summary>
    public ShapeInferenceException Error(string message) => new($"{Node}: {message}");
}

/// <summary>The type rules of operators.</summary>
public interface ITypeRules
{
    /// <summary>
    /// What is known of each output of the context's node, given the operator sets in force; null where there is no rule for it.
    /// </summary>
    /// <exception cref="ShapeInferenceException">The inputs do not fit the operator.</exception>
    /// <exception cref="UnsupportedOperatorException">The operator or an attribute value is not supported.</exception>
    IReadOnlyList<InferredValue?>? Infer(InferenceContext context, IReadOnlyDictionary<string, int> opsets);

    /// <summary>What is known of the inputs of a graph that the context's node holds; fewer entries than inputs is fine.</summary>
    IReadOnlyList<OnnxType?> BodyInputs(InferenceContext context, Graph body, IReadOnlyDictionary<string, int> opsets) => [];
}
