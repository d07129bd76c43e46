namespace OnnxNas.Ir.Inference;

/// <summary>A node whose outputs are not known, and why.</summary>
public sealed record SkippedNode(Node Node, string Reason);

/// <summary>What <see cref="ShapeInference"/> found out about a model. It describes the model as it was then.</summary>
public sealed class InferenceResult
{
    private readonly Dictionary<Value, InferredValue> values = [];
    private readonly Dictionary<Value, TensorData> constants = [];
    private readonly Dictionary<Node, InferenceContext> contexts = [];
    private readonly Dictionary<Node, IReadOnlyList<InferredValue?>> outcomes = [];
    private readonly List<SkippedNode> skipped = [];

    internal InferenceResult() { }

    /// <summary>What is known of a value: its merged type, and its elements where they are few and integer.</summary>
    public InferredValue this[Value value] => values.TryGetValue(value, out var known) ? known : new(value.Type);

    /// <summary>Nodes without a rule, in order.</summary>
    public IReadOnlyList<SkippedNode> Skipped => skipped;

    /// <summary>What the rule of a node saw.</summary>
    /// <exception cref="KeyNotFoundException">The node was not in the model.</exception>
    public InferenceContext Context(Node node) => contexts.TryGetValue(node, out var context)
        ? context
        : throw new KeyNotFoundException($"{node} was not in the model when its types were inferred.");

    /// <summary>Whether the node was looked at: a branch that fits no inputs is not.</summary>
    public bool Knows(Node node) => contexts.ContainsKey(node);

    /// <summary>What is known of a node's outputs; null for an omitted one.</summary>
    public IReadOnlyList<InferredValue?> Outputs(Node node) => [.. node.Outputs.Select(o => o is null ? null : this[o])];

    /// <summary>The constant a value holds (an initializer that no caller can replace, or the output of a Constant node), or null.</summary>
    public TensorData? Constant(Value value) => constants.GetValueOrDefault(value);

    /// <summary>What the rule alone says of an output, whatever the file declares; null where it says nothing.</summary>
    internal InferredValue? FromRule(Node node, int output) =>
        outcomes.TryGetValue(node, out var outcome) && output < outcome.Count ? outcome[output] : null;

    internal void Set(Value value, InferredValue known, TensorData? constant = null)
    {
        values[value] = known;
        if (constant is not null)
            constants[value] = constant;
    }

    internal void Set(Node node, InferenceContext context) => contexts[node] = context;

    internal void Set(Node node, IReadOnlyList<InferredValue?> outcome) => outcomes[node] = outcome;

    internal void Skip(Node node, string reason) => skipped.Add(new(node, reason));
}
