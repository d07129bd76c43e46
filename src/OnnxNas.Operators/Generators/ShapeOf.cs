using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>Shape, all versions: the extents of a tensor, from 15 on those from <c>start</c> to before <c>end</c>.</summary>
internal sealed class ShapeOf : NamedOperator
{
    private readonly long start;
    private readonly long? end;

    private ShapeOf(NodeReader node) : base(node, 1, 1)
    {
        if (node.Version < 15)
            return;
        start = node.Int("start", 0);
        end = node.Attribute("end")?.AsInt();
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return Output(ElementType.Int64, KnownElements.Unknown(1));
        var (from, count) = Part(x.Rank);
        return [InferredValue.Vector([.. x.Skip(from).Take(count)])];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!.shape;
        var (from, count) = Part(x.Length);
        return [tensor(x[from..(from + count)], device: inputs[0]!.device)];
    }

    private (int From, int Count) Part(int rank)
    {
        var from = (int)Math.Clamp(start < 0 ? start + rank : start, 0, rank);
        var to = (int)Math.Clamp(end is { } e ? e < 0 ? e + rank : e : rank, 0, rank);
        return (from, Math.Max(0, to - from));
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Shape", [1, 13, 15, 19, 21, 23, 24, 25], node => new ShapeOf(node)) { Types = TypeSets.All, Gradient = Gradient.None("depends on the shape only") },
            new("Size", [1, 13, 19, 21, 23, 24, 25], node => new Size(node)) { Types = TypeSets.All, Gradient = Gradient.None("depends on the shape only") },
        ];
    }

    /// <summary>Size, all versions: the number of elements.</summary>
    private sealed class Size(NodeReader node) : NamedOperator(node, 1, 1)
    {
        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
            Output(ElementType.Int64, Shape.Scalar, context.Shape(0) is { } x ? (Dim[])[x.Size()] : null);

        public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => [tensor(inputs[0]!.numel(), device: inputs[0]!.device)];
    }
}
