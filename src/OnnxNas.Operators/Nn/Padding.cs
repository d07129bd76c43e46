using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>Padding of spatial axes before a window slides over them.</summary>
internal static class Padding
{
    /// <summary>Pads the last axes by a constant. <paramref name="pads"/> is in ONNX order: all begins, then all ends.</summary>
    public static Tensor Constant(Tensor x, ReadOnlySpan<long> pads, double value)
    {
        var n = pads.Length / 2;
        var torchPads = new long[2 * n];
        for (var i = 0; i < n; i++)
        {
            // Torch counts from the last axis.
            torchPads[2 * (n - 1 - i)] = pads[i];
            torchPads[2 * (n - 1 - i) + 1] = pads[n + i];
        }

        return nn.functional.pad(x, torchPads, PaddingModes.Constant, value);
    }
}
