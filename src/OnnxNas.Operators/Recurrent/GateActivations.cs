using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Recurrent;

/// <summary>The activations of recurrent layers, by the attributes <c>activations</c>, <c>activation_alpha</c> and <c>activation_beta</c>.</summary>
internal static class GateActivations
{
    /// <summary>The functions, those of the second direction after those of the first.</summary>
    public static Func<Tensor, Tensor>[] Read(NodeReader node, int directions, params ReadOnlySpan<string> defaults)
    {
        var names = node.Strings("activations") ?? [.. Enumerable.Repeat(defaults.ToArray(), directions).SelectMany(d => d)];
        if (names.Length != defaults.Length * directions)
            throw node.Malformed($"there are {names.Length} activations; {defaults.Length * directions} are needed.");
        // Only the functions that have such a number take one from the list.
        var (alphas, betas) = (new Queue<float>(node.Floats("activation_alpha") ?? []), new Queue<float>(node.Floats("activation_beta") ?? []));
        return [.. names.Select(name => Function(node, name, alphas, betas))];
    }

    private static Func<Tensor, Tensor> Function(NodeReader node, string name, Queue<float> alphas, Queue<float> betas)
    {
        // Names are compared without case, as ONNX Runtime does.
        switch (name.ToUpperInvariant())
        {
            case "RELU":
                return x => x.relu();
            case "TANH":
                return x => x.tanh();
            case "SIGMOID":
                return x => x.sigmoid();
            case "SOFTSIGN":
                return x => x / x.abs().Plus(1);
            case "SOFTPLUS":
                return x => -nn.functional.logsigmoid(-x);
            case "AFFINE":
                var (scale, offset) = (Next(alphas, 1), Next(betas, 0));
                return x => x.Times(scale).Plus(offset);
            case "LEAKYRELU":
                var slope = Scalars.Of(Next(alphas, 0.01f));
                return x => x.leaky_relu(slope);
            case "THRESHOLDEDRELU":
                var (threshold, zero) = (Scalars.Of(Next(alphas, 1)), Scalars.Of(0.0));
                return x => x.threshold(threshold, zero);
            case "SCALEDTANH":
                var (outer, inner) = (Next(alphas, 1), Next(betas, 1));
                return x => x.Times(inner).tanh().Times(outer);
            case "HARDSIGMOID":
                var (rise, middle) = (Next(alphas, 0.2f), Next(betas, 0.5f));
                return x => x.Times(rise).Plus(middle).clamp(Scalars.Of(0.0), Scalars.Of(1.0));
            case "ELU":
                var (alpha, one) = (Scalars.Of(Next(alphas, 1)), Scalars.Of(1.0));
                return x => x.elu(alpha, one, one);
            default:
                throw node.Unsupported($"activation '{name}' is not one of Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign, Softplus.");
        }
    }

    private static double Next(Queue<float> numbers, float fallback) => numbers.TryDequeue(out var number) ? number : fallback;
}
