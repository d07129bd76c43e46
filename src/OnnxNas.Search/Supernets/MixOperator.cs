using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary><c>Mix(w [N], y0 … yN-1)</c>: Σ w_k · y_k, the mixed op of DARTS (Liu et al. 2019, eq. 2).</summary>
internal sealed class MixOperator : OnnxOperator
{
    public const string Name = "Mix";

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { IsKnown: true } w && (w.Rank != 1 || w[0].Value != context.InputCount - 1))
            throw context.Error($"the weights are {w}, expected [{context.InputCount - 1}]: one a candidate.");
        return [new(context.Input(1).Type)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        return [WeightedSum(inputs[0]!.unbind(0), k => inputs[k + 1]!)];
    }

    /// <summary>Σ w_k · y_k; each output is asked for once, in order.</summary>
    public static Tensor WeightedSum(IReadOnlyList<Tensor> weights, Func<int, Tensor> output)
    {
        var sum = output(0).mul(weights[0]);
        for (var k = 1; k < weights.Count; k++)
            sum = sum.addcmul(output(k), weights[k], Scalars.One);
        return sum;
    }

    internal sealed class Family : IOperatorFamily
    {
        public IEnumerable<OperatorDefinition> Operators => [new(Name, [1], _ => new MixOperator()) { Domain = SupernetOperators.Domain }];
    }
}
