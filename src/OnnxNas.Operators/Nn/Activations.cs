using OnnxNas.Operators.Execution;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>The activations that map element by element and take no second tensor.</summary>
internal sealed class Activations : IOperatorFamily
{
    /// <inheritdoc/>
    public IEnumerable<OperatorDefinition> Operators =>
    [
        Define("Relu", [6, 13, 14], _ => x => nn.functional.relu(x)) with { Types = [.. TypeSets.Floats, .. TypeSets.Signed] },
        Define("Sigmoid", [6, 13], _ => sigmoid),
        Define("Tanh", [6, 13], _ => tanh),
        Define("HardSwish", [14, 22], _ => x => nn.functional.hardswish(x)),
        Define("Mish", [18, 22], _ => x => x * Softplus(x).tanh()),
        Define("Softplus", [1, 22], _ => Softplus),
        Define("Softsign", [1, 22], _ => Softsign),
        Define("LeakyRelu", [6, 16], LeakyRelu),
        Define("Elu", [6, 22], Elu),
        Define("Celu", [12, 28], Celu),
        Define("Selu", [6, 22], Selu),
        Define("ThresholdedRelu", [10, 22], ThresholdedRelu),
        Define("HardSigmoid", [6, 22], HardSigmoid),
        Define("Gelu", [20], Gelu),
        Define("Swish", [24], Swish),
        Define("Shrink", [9], Shrink) with { Types = TypeSets.Numbers },
    ];

    private static OperatorDefinition Define(string name, IReadOnlyList<int> versions, Func<NodeReader, Func<Tensor, Tensor>> kernel) =>
        new(name, versions, node => new Activation(node, kernel(node)));

    // Log(1 + e^x), without overflow for any x.
    private static Tensor Softplus(Tensor x) => -nn.functional.logsigmoid(-x);

    private static Tensor Softsign(Tensor x)
    {
        var magnitude = x.abs();
        var divisor = magnitude.Plus(1);
        return x / divisor;
    }

    private static Func<Tensor, Tensor> LeakyRelu(NodeReader node)
    {
        var alpha = Scalars.Of(node.Float("alpha", 0.01f));
        return x => x.leaky_relu(alpha);
    }

    private static Func<Tensor, Tensor> Elu(NodeReader node)
    {
        var (alpha, one) = (Scalars.Of(node.Float("alpha", 1)), Scalars.Of(1.0));
        return x => x.elu(alpha, one, one);
    }

    private static Func<Tensor, Tensor> Celu(NodeReader node)
    {
        var given = node.Float("alpha", 1);
        if (given == 0)
            throw node.Malformed("alpha is 0; Celu divides by it.");
        var alpha = Scalars.Of(given);
        return x => x.celu(alpha);
    }

    private static Func<Tensor, Tensor> Selu(NodeReader node)
    {
        var alpha = Scalars.Of(node.Float("alpha", 1.67326319217681884765625f));
        var gamma = Scalars.Of(node.Float("gamma", 1.05070102214813232421875f));
        var one = Scalars.Of(1.0);
        return x => x.elu(alpha, gamma, one);
    }

    private static Func<Tensor, Tensor> ThresholdedRelu(NodeReader node)
    {
        var (alpha, zero) = (Scalars.Of(node.Float("alpha", 1)), Scalars.Of(0.0));
        return x => x.threshold(alpha, zero);
    }

    private static Func<Tensor, Tensor> HardSigmoid(NodeReader node)
    {
        var (slope, offset) = (node.Float("alpha", 0.2f), node.Float("beta", 0.5f));
        var (alpha, beta, zero, one) = (Scalars.Of(slope), Scalars.Of(offset), Scalars.Of(0.0), Scalars.Of(1.0));
        // Libtorch's own has the slope 1/6 in full precision, which equals the attribute's in single precision.
        var fused = slope == 1f / 6 && offset == 0.5f;
        return x =>
        {
            if (fused && x.dtype == ScalarType.Float32)
                return nn.functional.hardsigmoid(x);
            var scaled = x * alpha;
            var shifted = scaled.Plus(beta);
            return shifted.clamp(zero, one);
        };
    }

    private static Func<Tensor, Tensor> Gelu(NodeReader node) => node.String("approximate", "none") switch
    {
        "none" => x => nn.functional.gelu(x),
        "tanh" => x => nn.functional.gelu(x, GELU.Approximate.tanh),
        var other => throw node.Unsupported($"approximate '{other}' is not one of none, tanh."),
    };

    /// <summary>x·sigmoid(alpha·x).</summary>
    public static Func<Tensor, Tensor> Swish(NodeReader node)
    {
        var factor = node.Float("alpha", 1);
        if (factor == 1)
            return x => nn.functional.silu(x);
        var alpha = Scalars.Of(factor);
        return x =>
        {
            var scaled = x * alpha;
            var gate = scaled.sigmoid();
            return x * gate;
        };
    }

    private static Func<Tensor, Tensor> Shrink(NodeReader node)
    {
        double bound = node.Float("lambd", 0.5f);
        var (upper, lower, offset) = (Scalars.Of(bound), Scalars.Of(-bound), (double)node.Float("bias", 0));
        return x =>
        {
            // Integers are shrunk as doubles and cut back.
            var type = x.dtype;
            var wide = x.is_floating_point() ? x : x.to(ScalarType.Float64);
            var zero = zeros_like(wide);
            var y = where(wide > upper, wide.Minus(offset), where(wide < lower, wide.Plus(offset), zero));
            return y.to(type);
        };
    }
}
