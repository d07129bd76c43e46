using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Compress, versions 9 and 11: the slices along an axis, or the elements in a row, for which the condition, which may be shorter, holds.</summary>
internal sealed class Compress : NamedOperator
{
    private readonly long? axis;

    private Compress(NodeReader node) : base(node, 2, 2)
    {
        axis = node.Has("axis") ? node.Int("axis") : null;
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (axis is not { } given)
            return Output(context.Element(0), KnownElements.Unknown(1));
        if (context.Shape(0) is not { } x)
            return UnknownShape(context.Element(0));
        var at = Axis(given, x.Rank);
        return Output(context.Element(0), x.Select((d, i) => i == at ? Dim.Unknown() : d));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, condition) = (axis is null ? inputs[0]!.reshape(-1) : inputs[0]!, inputs[1]!);
        var at = Axis(axis ?? 0, (int)x.dim());
        if (condition.dim() != 1 || condition.dtype != ScalarType.Bool || condition.shape[0] > x.shape[at])
            throw Error($"the condition must be a vector of at most {x.shape[at]} bools, got {condition.dtype} [{string.Join(',', condition.shape)}].");
        return [x.index_select(at, condition.nonzero().reshape(-1))];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Compress", [9, 11], node => new Compress(node)) { Types = TypeSets.All }];
    }
}
