using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// DepthToSpace, all versions: <c>[N,C,H,W]</c> to <c>[N,C/b²,H·b,W·b]</c>; in mode DCR the block is the outer part of the channels,
/// in CRD the inner. SpaceToDepth: <c>[N,C,H,W]</c> to <c>[N,C·b²,H/b,W/b]</c>.
/// </summary>
internal sealed class DepthToSpace : NamedOperator
{
    private readonly long block;
    private readonly bool blockFirst;
    private readonly bool toSpace;

    private DepthToSpace(NodeReader node, bool toSpace) : base(node, 1, 1)
    {
        this.toSpace = toSpace;
        block = node.Int("blocksize");
        if (block is < 1 or > int.MaxValue)
            throw node.Malformed($"blocksize is {block}; it must be positive.");
        var mode = toSpace && node.Version >= 11 ? node.String("mode", "DCR") : "DCR";
        if (mode is not ("DCR" or "CRD"))
            throw node.Unsupported($"mode '{mode}' is not DCR or CRD.");
        blockFirst = mode == "DCR";
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return UnknownShape(context.Element(0));
        Require(x.Rank == 4 && (toSpace ? Divides(x[1], block * block) : Divides(x[2], block) && Divides(x[3], block)), x.ToString());
        return Output(context.Element(0), toSpace
            ? [x[0], Dim.FloorDiv(x[1], block * block), x[2] * block, x[3] * block]
            : [x[0], x[1] * (block * block), Dim.FloorDiv(x[2], block), Dim.FloorDiv(x[3], block)]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!.shape;
        Require(x.Length == 4 && (toSpace ? x[1] % (block * block) == 0 : x[2] % block == 0 && x[3] % block == 0), $"[{string.Join(',', x)}]");
        var (n, c, h, w) = (x[0], x[1], x[2], x[3]);
        if (!toSpace)
            return [inputs[0]!.reshape(n, c, h / block, block, w / block, block).permute(0, 3, 5, 1, 2, 4).reshape(n, c * block * block, h / block, w / block)];
        var depth = c / (block * block);
        var apart = blockFirst
            ? inputs[0]!.reshape(n, block, block, depth, h, w).permute(0, 3, 4, 1, 5, 2)
            : inputs[0]!.reshape(n, depth, block, block, h, w).permute(0, 1, 4, 2, 5, 3);
        return [apart.reshape(n, depth, h * block, w * block)];
    }

    private static bool Divides(Dim extent, long block) => !extent.IsKnown || extent.Value % block == 0;

    private void Require(bool fits, string shape)
    {
        if (!fits)
            throw Error($"{shape} does not split into blocks of {block}; it must be [N,C,H,W] with {(toSpace ? "C a multiple of the block's square" : "H and W multiples of the block")}.");
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("DepthToSpace", [1, 11, 13], node => new DepthToSpace(node, toSpace: true)) { Types = TypeSets.All },
            new("SpaceToDepth", [1, 13], node => new DepthToSpace(node, toSpace: false)) { Types = TypeSets.All },
        ];
    }
}
