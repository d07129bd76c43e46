using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Sampling;

/// <summary>AffineGrid, version 20: theta <c>[N,n,n+1]</c> and size <c>[N,C,D1..Dn]</c> to the grid <c>[N,D1..Dn,n]</c> of GridSample; n is 2 or 3.</summary>
internal sealed class AffineGrid : NamedOperator
{
    private readonly bool aligned;

    private AffineGrid(NodeReader node) : base(node, 2, 2)
    {
        aligned = node.Flag("align_corners", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (KnownElements.VectorOf(context, 1) is not { } size)
            return UnknownShape(context.Element(0));
        if (size.Count is not (4 or 5))
            throw Error($"size has {size.Count} entries; it must have 4 or 5.");
        return Output(context.Element(0), [size[0], .. size.Skip(2), size.Count - 2]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (theta, size) = (inputs[0]!, Countable(inputs[1]!.ToInt64s()));
        var n = size.Length - 2;
        if (n is not (2 or 3) || size.Any(d => d < 1) || !theta.shape.SequenceEqual([size[0], n, n + 1L]))
            throw Error($"theta {theta.Text()} and size [{string.Join(',', size)}] do not fit; they must be [N,n,n+1] and [N,C,D1..Dn], n 2 or 3.");
        long[] extents = size[2..];
        var columns = new Tensor[n + 1];
        for (var i = 0; i < n; i++)
        {
            // The last axis is the first coordinate.
            var axis = n - 1 - i;
            long[] along = [.. extents.Select((_, a) => a == axis ? -1L : 1)];
            columns[i] = Line(extents[axis], theta).reshape(along).expand(extents).reshape(-1);
        }

        columns[n] = ones_like(columns[0]);
        var grid = stack(columns, 1).MatrixTimes(theta.transpose(1, 2));
        return [grid.reshape([size[0], .. extents, n])];
    }

    private Tensor Line(long extent, Tensor like)
    {
        var places = TensorArithmetic.Arange(extent, like.device).to(like.dtype);
        return aligned ? places.Times(2.0 / Math.Max(1, extent - 1)).Minus(1.0) : places.Plus(0.5).Times(2.0 / extent).Minus(1.0);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("AffineGrid", [20], node => new AffineGrid(node)) { Ranges = [new(1, 1, 4)] }];
    }
}
