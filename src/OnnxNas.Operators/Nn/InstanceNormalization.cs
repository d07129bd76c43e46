using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>InstanceNormalization, versions 6 and 22: X <c>[N,C,D1..Dn]</c>, scale and B <c>[C]</c> to Y of X's shape, each plane normalised by itself.</summary>
internal sealed class InstanceNormalization(NodeReader node) : NamedOperator(node, 3, 3)
{
    private readonly double epsilon = node.Float("epsilon", 1e-5f);

    public override IReadOnlyList<int> ParameterInputs => [1, 2];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } x)
        {
            if (x.Rank < 3)
                throw context.Error($"X {x} must have the rank 3 or more.");
            foreach (var i in new[] { 1, 2 })
            {
                if (context.Shape(i) is { } p && (p.Rank != 1 || !Rules.MayEqual(p[0], x[1])))
                    throw context.Error($"input {i} {p} must be [{x[1]}], as X is {x}.");
            }
        }

        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, scale, bias) = (inputs[0]!, inputs[1]!, inputs[2]!);
        Rules.Require(x.dim() >= 3, () => $"InstanceNormalization: X {x.Text()} must have the rank 3 or more.");
        foreach (var p in (ReadOnlySpan<Tensor>)[scale, bias])
            Rules.Require(p.dim() == 1 && p.size(0) == x.size(1), () => $"InstanceNormalization: X {x.Text()} takes parameters [{x.size(1)}], got {p.Text()}.");
        return [nn.functional.instance_norm(x, null, null, scale, bias, use_input_stats: true, 0, epsilon)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("InstanceNormalization", [6, 22], node => new InstanceNormalization(node))];
    }
}
