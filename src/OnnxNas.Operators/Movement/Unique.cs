using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// Unique, version 11: the different elements, or slices along an axis, sorted or in order of appearance; where each appears first, which one
/// each place holds, and how often.
/// </summary>
internal sealed class Unique : NamedOperator
{
    private readonly long? axis;
    private readonly bool sorted;

    private Unique(NodeReader node) : base(node, 1, 1)
    {
        axis = node.Has("axis") ? node.Int("axis") : null;
        sorted = node.Flag("sorted", true);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var count = InferredValue.Tensor(ElementType.Int64, new Shape(Dim.Unknown()));
        var x = context.Shape(0);
        var at = x is null || axis is null ? 0 : Axis(axis.Value, x.Rank);
        var y = axis is null ? new Shape(Dim.Unknown()) : x is null ? null : new Shape(x.Select((d, i) => i == at ? Dim.Unknown() : d));
        var inverse = InferredValue.Tensor(ElementType.Int64, new Shape(x is null ? Dim.Unknown() : axis is null ? x.Size() : x[at]));
        return [InferredValue.Tensor(context.Element(0), y), count, inverse, count];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var given = WideUnsigned.Widened(inputs[0]!, wraps: false);
        var x = axis is null ? given.reshape(-1) : given;
        var at = Axis(axis ?? 0, (int)x.dim());
        var slices = x.shape[at];
        if (x.numel() == 0)
            throw Error("the input is empty.");
        var places = TensorArithmetic.Arange(slices, x.device);
        // Slices become rows of numbers; sorting them stably by one column after another, the last first, sorts them as wholes.
        var rows = x.detach().transpose(0, at).reshape(slices, -1);
        var order = places;
        for (var column = rows.shape[1] - 1; column >= 0; column--)
            order = order.index_select(0, rows.select(1, column).index_select(0, order).sort(0, descending: false, stable: true).Indices);
        var inOrder = rows.index_select(0, order);
        var starts = cat([zeros([1], ScalarType.Int64, x.device), inOrder.narrow(0, 1, slices - 1).ne(inOrder.narrow(0, 0, slices - 1)).any(1).to(ScalarType.Int64)], 0);
        var group = starts.cumsum(0, ScalarType.Int64);
        var inverse = zeros_like(places).scatter(0, order, group);
        var count = group[-1].item<long>() + 1;
        // Sorting is stable, so a group's first place comes first.
        var first = order.index_select(0, cat([zeros([1], ScalarType.Int64, x.device), starts.nonzero().reshape(-1)], 0));
        if (!sorted)
        {
            var appearance = first.sort(0, descending: false, stable: true).Indices;
            first = first.index_select(0, appearance);
            inverse = zeros([count], ScalarType.Int64, x.device).scatter(0, appearance, TensorArithmetic.Arange(count, x.device)).index_select(0, inverse);
        }

        var counts = zeros([count], ScalarType.Int64, x.device).index_add(0, inverse, ones_like(inverse), Scalars.One);
        return [WideUnsigned.Narrowed(x.index_select(at, first), inputs[0]!), first, inverse, counts];
    }

    // The slices as rows, sorted and compared; and for each slice ten indices of eight bytes: places, their order, groups, where each begins.
    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { IsKnown: true } x)
            return default;
        var elements = Workload.Count(x);
        var slices = axis is null ? elements : x[Axis(axis.Value, x.Rank)].Value;
        return Workload.Of((3 * elements) + (20 * slices));
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Unique", [11], node => new Unique(node)) { Types = TypeSets.All }];
    }
}
