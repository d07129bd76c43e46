using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>CenterCropPad, version 18: axes cut, or filled with zeros, on both sides to the extents given; an odd rest is at the end.</summary>
internal sealed class CenterCropPad : NamedOperator
{
    private readonly long[]? axes;

    private CenterCropPad(NodeReader node) : base(node, 2, 2)
    {
        axes = node.Ints("axes");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return UnknownShape(context.Element(0));
        var at = Targets(x.Rank);
        Dim[] result = [.. x];
        var wanted = KnownElements.VectorOf(context, 1) ?? KnownElements.Unknown(at.Length);
        if (wanted.Count != at.Length)
            throw Error($"there are {wanted.Count} extents for {at.Length} axes.");
        for (var i = 0; i < at.Length; i++)
            result[at[i]] = wanted[i];
        return Output(context.Element(0), result);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, wanted) = (inputs[0]!, Countable(inputs[1]!.ToInt64s()));
        var at = Targets((int)x.dim());
        if (wanted.Length != at.Length || wanted.Any(d => d < 0))
            throw Error($"extents [{string.Join(',', wanted)}] do not fit {at.Length} axes; none may be negative.");
        var pads = new long[2 * x.dim()];
        for (var i = 0; i < at.Length; i++)
        {
            var extent = x.shape[at[i]];
            if (wanted[i] < extent)
            {
                x = x.narrow(at[i], (extent - wanted[i]) / 2, wanted[i]);
                continue;
            }

            pads[at[i]] = (wanted[i] - extent) / 2;
            pads[x.dim() + at[i]] = wanted[i] - extent - pads[at[i]];
        }

        return [pads.All(p => p == 0) ? x : Padding.Constant(x, pads, 0)];
    }

    private int[] Targets(int rank) => Axes(axes ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)], rank);

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("CenterCropPad", [18], node => new CenterCropPad(node)) { Ranges = [new(1, 1, 8)], Types = TypeSets.All }];
    }
}
