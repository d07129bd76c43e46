using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// Split from version 2 on: an axis in parts, of the sizes <c>split</c> says (an attribute, from 13 on an input), or else equal
/// ones; from 18 on the last of <c>num_outputs</c> parts may be smaller.
/// </summary>
internal sealed class Split : NamedOperator
{
    private readonly long axis;
    private readonly IntegerList sizes;
    private readonly int count;
    private readonly bool unevenEnd;

    private Split(NodeReader node) : base(node, 1, node.Version < 13 ? 1 : 2)
    {
        axis = node.Int("axis", 0);
        sizes = IntegerList.Read(node, "split", 1, 13);
        count = node.Node.Outputs.Count;
        if (count == 0)
            throw node.Malformed("it has no outputs; it needs one for each part.");
        unevenEnd = node.Version >= 18;
        if (!unevenEnd)
            return;
        var stated = node.Attribute("num_outputs")?.AsInt();
        if (stated is null != sizes.IsGiven)
            throw node.Malformed("exactly one of the input 'split' and the attribute 'num_outputs' is needed.");
        if (stated is { } wanted && wanted != count)
            throw node.Malformed($"num_outputs is {wanted}, but the node has {count} outputs.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (data.Shape is not { } shape)
            return [.. Enumerable.Repeat(InferredValue.Tensor(data.Element, null), count)];
        var at = Axis(axis, shape.Rank);
        var parts = Parts(context, shape[at]);
        var known = shape.Rank == 1 && parts.All(p => p.IsKnown) ? data.Elements : null;
        var result = new InferredValue?[count];
        var from = 0;
        for (var i = 0; i < count; i++)
        {
            result[i] = new(new TensorType(data.Element, new Shape(shape.Select((d, a) => a == at ? parts[i] : d))), known?.Skip(from).Take((int)parts[i].Value).ToList());
            from += known is null ? 0 : (int)parts[i].Value;
        }

        return result;
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var shape = inputs[0]!.shape;
        var at = Axis(axis, shape.Length);
        var parts = sizes.Run(inputs) ?? Even(shape[at]);
        Require(parts, shape[at]);
        return inputs[0]!.split(parts, at);
    }

    private Dim[] Parts(InferenceContext context, Dim extent)
    {
        if (sizes.IsGiven)
        {
            var given = sizes.Infer(context) ?? KnownElements.Unknown(count);
            if (given.Count != count)
                throw Error($"there are {given.Count} sizes for {count} outputs.");
            if (extent.IsKnown && sizes.Numbers(context) is { } numbers)
                Require(numbers, extent.Value);
            return [.. given];
        }

        if (extent.IsKnown)
            return [.. Even(extent.Value).Select(Dim.Known)];
        if (!unevenEnd)
            return [.. Enumerable.Repeat(Dim.FloorDiv(extent, count), count)];
        var part = Dim.CeilDiv(extent, count);
        return [.. Enumerable.Repeat(part, count - 1), extent - part * (count - 1)];
    }

    private long[] Even(long extent)
    {
        if (extent % count != 0 && !unevenEnd)
            throw Error($"extent {extent} is not divisible by {count} outputs; give the sizes in 'split'.");
        var part = (extent + count - 1) / count;
        var end = extent - part * (count - 1);
        return end >= 0 ? [.. Enumerable.Repeat(part, count - 1), end] : throw Error($"extent {extent} is too short for {count} outputs of {part} each.");
    }

    private void Require(long[] parts, long extent)
    {
        if (parts.Length != count || parts.Any(p => p < 0 || p > extent) || parts.Sum() != extent)
            throw Error($"sizes [{string.Join(',', parts)}] do not split extent {extent} into {count} outputs.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Split", [2, 11, 13, 18], node => new Split(node)) { Ranges = [new(1, 1, 4)], Types = TypeSets.All }];
    }
}
