using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Reductions;

/// <summary>ArgMax and ArgMin, all versions: the index of the extreme along <c>axis</c>, of equal ones the first, or from 12 on the last if asked.</summary>
internal sealed class ArgExtreme : NamedOperator
{
    private readonly bool greatest;
    private readonly long axis;
    private readonly bool keep;
    private readonly bool last;

    private ArgExtreme(NodeReader node, bool greatest) : base(node, 1, 1)
    {
        this.greatest = greatest;
        axis = node.Int("axis", 0);
        keep = node.Flag("keepdims", true);
        last = node.Version >= 12 && node.Flag("select_last_index", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return UnknownShape(ElementType.Int64);
        var at = Axis(axis, x.Rank);
        return Output(ElementType.Int64, x.Select((d, i) => i == at ? 1 : d).Where((_, i) => keep || i != at));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, shape) = (WideUnsigned.Widened(inputs[0]!, wraps: false), inputs[0]!.shape);
        var at = Axis(axis, shape.Length);
        if (shape[at] == 0)
            throw Error($"axis {at} of [{string.Join(',', shape)}] is empty, so there is no extreme.");
        if (last)
            x = x.flip([at]);
        var index = greatest ? x.argmax(at, keep) : x.argmin(at, keep);
        return [last ? index.neg().Plus(shape[at] - 1) : index];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("ArgMax", [1, 11, 12, 13], node => new ArgExtreme(node, greatest: true)) { Types = TypeSets.Numbers, Gradient = Gradient.None("gives indices") },
            new("ArgMin", [1, 11, 12, 13], node => new ArgExtreme(node, greatest: false)) { Types = TypeSets.Numbers, Gradient = Gradient.None("gives indices") },
        ];
    }
}
