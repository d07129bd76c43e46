using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
using OnnxNas.Search.Choices;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary>
/// <c>Select(x0 … xN-1)</c>: a choice already decided. Attributes <c>chosen</c>, <c>reduction</c>, <c>axis</c>. Computes the chosen inputs only.
/// </summary>
internal sealed class SelectOperator : LazyOperator
{
    public const string Name = "Select";
    private readonly Joint joint;

    private SelectOperator(NodeReader node) =>
        joint = new([.. (node.Ints("chosen") ?? throw node.Malformed("attribute 'chosen' is missing.")).Select(i => (int)i)],
            Enum.Parse<Reduction>(node.String("reduction", nameof(Reduction.Sum))), (int)node.Int("axis", 1));

    /// <summary>Puts a Select in place of a marker.</summary>
    public static Value Insert(Node marker, Choice choice, IReadOnlyList<int> selection)
    {
        var input = choice as InputChoice;
        return marker.Graph.Call(Name, marker.Inputs, marker.Output.Name + "/select", SupernetOperators.Domain,
        [
            Attr.Of("chosen", selection.Select(i => (long)i)),
            Attr.Of("reduction", (input?.Reduction ?? Reduction.Sum).ToString()),
            Attr.Of("axis", input?.Axis ?? 1),
        ], marker);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [joint.Infer(context)];

    public override Tensor?[] Run(ILazyInputs inputs, RunContext context) => [joint.Run(inputs)];

    internal sealed class Family : IOperatorFamily
    {
        public IEnumerable<OperatorDefinition> Operators => [new(Name, [1], node => new SelectOperator(node)) { Domain = SupernetOperators.Domain }];
    }
}
