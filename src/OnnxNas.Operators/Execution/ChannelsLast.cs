using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// The memory order of images. With channels innermost, libtorch's CPU convolutions need no reordering, and every operator that follows
/// keeps the order. Only the layout in memory changes: shapes, and what any operator computes, stay.
/// </summary>
internal static class ChannelsLast
{
    /// <summary>A tensor of rank 4 with more than one channel and pixel, stored channels last; any other as it is.</summary>
    public static Tensor Of(Tensor tensor)
    {
        if (tensor.dim() != 4 || tensor.size(1) == 1 || tensor.size(2) * tensor.size(3) == 1)
            return tensor;
        using var last = tensor.permute(0, 2, 3, 1);
        using var ordered = last.contiguous();
        return ordered.permute(0, 3, 1, 2);
    }
}
