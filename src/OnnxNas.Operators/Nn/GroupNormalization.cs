using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// GroupNormalization, versions 18 (scale and bias per group) and 21 (per channel): X <c>[N,C,..]</c> to Y of X's shape, each group of
/// channels normalised by itself. Statistics are computed in float32 at least, which serves every <c>stash_type</c>.
/// </summary>
internal sealed class GroupNormalization : NamedOperator
{
    private readonly double epsilon;
    private readonly long groups;
    private readonly bool perGroup;

    private GroupNormalization(NodeReader node) : base(node, 3, 3)
    {
        epsilon = node.Float("epsilon", 1e-5f);
        groups = node.Int("num_groups");
        perGroup = node.Version < 21;
        if (!perGroup)
            LayerNormalization.Stash(node);
        if (groups <= 0)
            throw node.Malformed($"num_groups is {groups}; it must be positive.");
    }

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } x)
        {
            if (x.Rank < 2 || x[1].ValueOrNull % groups > 0)
                throw context.Error($"num_groups {groups} does not divide the channels of X {x}.");
            foreach (var i in new[] { 1, 2 })
            {
                if (context.Shape(i) is { } p && (p.Rank != 1 || !Rules.MayEqual(p[0], perGroup ? groups : x[1])))
                    throw context.Error($"input {i} {p} must be [{(perGroup ? groups : x[1])}].");
            }
        }

        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, scale, bias) = (inputs[0]!, inputs[1]!, inputs[2]!);
        Rules.Require(x.dim() >= 2 && x.size(1) % groups == 0, () => $"GroupNormalization: num_groups {groups} does not divide the channels of X {x.Text()}.");
        var channels = x.size(1);
        var expected = perGroup ? groups : channels;
        foreach (var p in (ReadOnlySpan<Tensor>)[scale, bias])
            Rules.Require(p.dim() == 1 && p.size(0) == expected, () => $"GroupNormalization: X {x.Text()} takes parameters [{expected}], got {p.Text()}.");
        if (perGroup)
            (scale, bias) = (scale.repeat_interleave(channels / groups), bias.repeat_interleave(channels / groups));
        return [nn.functional.group_norm(x, groups, scale, bias, epsilon)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("GroupNormalization", [18, 21], node => new GroupNormalization(node))];
    }
}
