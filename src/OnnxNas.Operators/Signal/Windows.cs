using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Signal;

/// <summary>HannWindow, HammingWindow and BlackmanWindow, version 17: so many weights, the sum of cosines a − b·cos(2πn/N) + c·cos(4πn/N).</summary>
internal sealed class Windows : NamedOperator
{
    private readonly double[] factors;
    private readonly bool periodic;
    private readonly ElementType type;

    private Windows(NodeReader node, params double[] factors) : base(node, 1, 1)
    {
        this.factors = factors;
        periodic = node.Flag("periodic", true);
        type = (ElementType)node.Int("output_datatype", 1);
        _ = type.ToTorch();
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        Output(type, KnownElements.Of(context, 0) is [var size] ? [size] : KnownElements.Unknown(1));

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (inputs[0]!.numel() != 1 || inputs[0]!.ToInt64s() is not [>= 0 and <= int.MaxValue and var size])
            throw Error("the size must be one number, not negative.");
        var weights = new double[size];
        var turn = 2 * Math.PI / Math.Max(1, periodic ? size : size - 1);
        for (var i = 0; i < size; i++)
            weights[i] = factors[0] - factors[1] * Math.Cos(turn * i) + factors[2] * Math.Cos(2 * turn * i);
        return [tensor(weights, device: inputs[0]!.device).to(type.ToTorch())];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("HannWindow", [17], node => new Windows(node, 0.5, 0.5, 0)) { Ranges = [new(0, 1, 16)], Types = TypeSets.Numbers, Gradient = Gradient.None("is made of constants") },
            new("HammingWindow", [17], node => new Windows(node, 25.0 / 46, 21.0 / 46, 0)) { Ranges = [new(0, 1, 16)], Types = TypeSets.Numbers, Gradient = Gradient.None("is made of constants") },
            new("BlackmanWindow", [17], node => new Windows(node, 0.42, 0.5, 0.08)) { Ranges = [new(0, 1, 16)], Types = TypeSets.Numbers, Gradient = Gradient.None("is made of constants") },
        ];
    }
}
