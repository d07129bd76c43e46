using System.Reflection;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Operators;

/// <summary>
/// Operators by domain, name and since-version. The greatest since-version at or below the model's opset serves a node.
/// </summary>
public sealed class OperatorRegistry : ITypeRules, IParameterRules
{
    /// <summary>The newest opset of ai.onnx that tests cover; newer models are refused.</summary>
    public const int NewestOpset = 28;

    /// <summary>
    /// The oldest opset of ai.onnx that is served whole. Of an older model those operators are served whose version is still in force here;
    /// <see cref="Bind"/> refuses the others by name.
    /// </summary>
    public const int OldestOpset = 6;

    private readonly Dictionary<(string Domain, string Name), OperatorDefinition> definitions = [];

    /// <summary>A registry of these operators.</summary>
    /// <exception cref="ArgumentException">Two families define one operator.</exception>
    public OperatorRegistry(IEnumerable<IOperatorFamily> families)
    {
        foreach (var definition in families.SelectMany(f => f.Operators))
        {
            if (!definitions.TryAdd((definition.Domain, definition.Name), definition))
                throw new ArgumentException($"Operator {definition.Domain}::{definition.Name} is registered twice.", nameof(families));
        }
    }

    /// <summary>The operators of ai.onnx in this assembly.</summary>
    public static OperatorRegistry Default { get; } = new(FamiliesOf(typeof(OperatorRegistry).Assembly));

    /// <summary>All operators, ordered by domain and name.</summary>
    public IEnumerable<OperatorDefinition> Definitions =>
        definitions.Values.OrderBy(d => d.Domain, StringComparer.Ordinal).ThenBy(d => d.Name, StringComparer.Ordinal);

    /// <summary>The operator families of an assembly, in order of name.</summary>
    public static IEnumerable<IOperatorFamily> FamiliesOf(Assembly assembly) =>
        from type in assembly.GetTypes()
        where typeof(IOperatorFamily).IsAssignableFrom(type) && type is { IsAbstract: false, IsInterface: false }
        orderby type.FullName
        select (IOperatorFamily)Activator.CreateInstance(type)!;

    /// <summary>Checks the operator sets of a model, and that what its nodes read is there in a run.</summary>
    /// <exception cref="UnsupportedOperatorException">The opset is newer than tested, or a node reads a sparse initializer.</exception>
    public static void RequireSupported(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset > NewestOpset)
            throw new UnsupportedOperatorException($"The model imports opset {model.Opset} of ai.onnx; the newest one tested here is {NewestOpset}. Export it with opset_version={NewestOpset} or lower.");
        RequireDense(model.Graph);
    }

    // A small file may claim any number of elements.
    private static void RequireDense(Graph graph)
    {
        if (graph.SparseInitializers.FirstOrDefault(s => graph.Find(s.Name ?? "") is { IsInput: false } value && (value.IsOutput || value.Uses.Count > 0)) is { } sparse)
            throw new UnsupportedOperatorException($"Sparse initializer '{sparse.Name}' of dims [{string.Join(',', sparse.Dims)}] is not supported. Make it an ordinary initializer.");
        foreach (var inner in graph.Nodes.SelectMany(n => n.Subgraphs))
            RequireDense(inner);
    }

    /// <summary>What inputs of a node are tried with; none for an operator that is not here.</summary>
    public IReadOnlyList<InputRange> Ranges(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return definitions.TryGetValue((node.Domain, node.OpType), out var definition) ? definition.Ranges : [];
    }

    /// <summary>Why a node cannot run, or null where it can.</summary>
    public string? WhyUnsupported(Node node, IReadOnlyDictionary<string, int> opsets)
    {
        try
        {
            Bind(node, opsets);
            return null;
        }
        catch (UnsupportedOperatorException e)
        {
            return e.Message;
        }
    }

    /// <summary>Binds a node to its operator.</summary>
    /// <exception cref="UnsupportedOperatorException">The operator, its version or an attribute is not supported.</exception>
    /// <exception cref="ModelFormatException">An attribute is missing or of the wrong kind, or the domain is not imported.</exception>
    public OnnxOperator Bind(Node node, IReadOnlyDictionary<string, int> opsets)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(opsets);
        if (!definitions.TryGetValue((node.Domain, node.OpType), out var definition))
            throw new UnsupportedOperatorException($"{node}: operator {Display(node)} is not supported. Replace it, or add it as one file in OnnxNas.Operators.");
        if (!opsets.TryGetValue(node.Domain, out var opset))
            throw new ModelFormatException($"{node}: the model does not import an operator set for domain '{node.Domain}'.");
        var version = VersionAt(definition, opset);
        if (version == 0)
            throw new UnsupportedOperatorException($"{node}: operator {Display(node)} exists here from opset {definition.Versions[0]} on, the model imports {opset}. Convert it with the ONNX version converter.");
        var reader = new NodeReader(node, version);
        if (definition.Withdrawn is { } withdrawn && opset >= withdrawn.Since)
            throw reader.Unsupported($"the operator was withdrawn in opset {withdrawn.Since}; use {withdrawn.Successor}.");
        var bound = definition.Bind(reader);
        reader.RequireAllRead();
        return bound;
    }

    /// <summary>Whether a node is served by one version of its operator in two versions of the operator set.</summary>
    public bool IsSameVersion(Node node, int opset, int otherOpset)
    {
        ArgumentNullException.ThrowIfNull(node);
        return definitions.TryGetValue((node.Domain, node.OpType), out var definition)
            && VersionAt(definition, opset) is > 0 and var version && version == VersionAt(definition, otherOpset);
    }

    /// <inheritdoc/>
    public IReadOnlyList<InferredValue?> Infer(InferenceContext context, IReadOnlyDictionary<string, int> opsets)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Bind(context.Node, opsets).Infer(context);
    }

    /// <inheritdoc/>
    public IReadOnlyList<OnnxType?> BodyInputs(InferenceContext context, Graph body, IReadOnlyDictionary<string, int> opsets)
    {
        ArgumentNullException.ThrowIfNull(context);
        return WhyUnsupported(context.Node, opsets) is null && Bind(context.Node, opsets) is ControlFlowOperator flow ? flow.BodyInputs(context, body) : [];
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> ParameterInputs(Node node, IReadOnlyDictionary<string, int> opsets) =>
        WhyUnsupported(node, opsets) is null ? Bind(node, opsets).ParameterInputs : [];

    /// <inheritdoc/>
    public IReadOnlyList<int> BufferInputs(Node node, IReadOnlyDictionary<string, int> opsets) =>
        WhyUnsupported(node, opsets) is null ? [.. Bind(node, opsets).Buffers.Select(b => b.Input)] : [];

    /// <inheritdoc/>
    public string? WhyNoGradient(Node node, int input, IReadOnlyDictionary<string, int> opsets)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (WhyUnsupported(node, opsets) is not null)
            return null;
        var gradient = definitions[(node.Domain, node.OpType)].Gradient;
        return gradient.Kind == GradientKind.None ? $"it {gradient.Reason}"
            : Bind(node, opsets).PassesGradient(input) ? null
            : $"its input {input} decides a shape, a type or what is rounded";
    }

    private static int VersionAt(OperatorDefinition definition, int opset) => definition.Versions.LastOrDefault(v => v <= opset);

    private static string Display(Node node) => node.Domain.Length == 0 ? node.OpType : $"{node.Domain}::{node.OpType}";
}
