using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Reductions;

/// <summary>TopK, all versions: the k greatest or least elements along an axis and their indices; of equal elements the lower index comes first.</summary>
internal sealed class TopK : NamedOperator
{
    private readonly long axis;
    private readonly bool largest;
    private readonly IntegerList k;

    private TopK(NodeReader node) : base(node, node.Version < 10 ? 1 : 2, node.Version < 10 ? 1 : 2)
    {
        axis = node.Int("axis", -1);
        largest = node.Version < 11 || node.Flag("largest", true);
        if (node.Version >= 11)
            node.Ignore("sorted"); // Unsorted leaves the order open, and sorted is one.
        k = node.Version < 10 ? IntegerList.Fixed(node.Int("k")) : IntegerList.Read(node, "k", 1, 10);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return [InferredValue.Tensor(context.Element(0), null), InferredValue.Tensor(ElementType.Int64, null)];
        var at = Axis(axis, x.Rank);
        var count = k.Infer(context) is [var known] ? known : Dim.Unknown();
        if (count.ValueOrNull is { } number)
            Require(number, x[at].ValueOrNull ?? long.MaxValue);
        var shape = new Shape(x.Select((d, i) => i == at ? count : d));
        return [InferredValue.Tensor(context.Element(0), shape), InferredValue.Tensor(ElementType.Int64, shape)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, count) = (inputs[0]!, k.Run(inputs)!);
        var at = Axis(axis, (int)x.dim());
        if (count.Length != 1)
            throw Error($"K must be one number, got {count.Length}.");
        Require(count[0], x.shape[at]);
        var (values, indices) = WideUnsigned.Widened(x, wraps: false).sort(at, descending: largest, stable: true);
        return [WideUnsigned.Narrowed(values.narrow(at, 0, count[0]), x), indices.narrow(at, 0, count[0])];
    }

    private void Require(long count, long extent)
    {
        if (count < 0 || count > extent)
            throw Error($"K is {count}; it must lie between 0 and the extent {extent}.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("TopK", [1, 10, 11, 24], node => new TopK(node)) { Ranges = [new(1, 1, 2)], Types = TypeSets.Numbers }];
    }
}
