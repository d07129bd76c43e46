using OnnxNas.Ir;
using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Index tensors as ONNX has them: int32 or int64, negative ones counting from the end.</summary>
internal static class Indices
{
    /// <summary>Indices as int64 counted from the front. An index outside is refused here, since an accelerator would fail later and without a message.</summary>
    public static Tensor Positive(Tensor indices, long extent, Func<string, ShapeInferenceException> error)
    {
        var wide = indices.to(ScalarType.Int64);
        if (wide.numel() == 0)
            return wide;
        var (least, greatest) = (wide.min().ToInt64(), wide.max().ToInt64());
        if (least < -extent || greatest >= extent)
            throw error($"index {(least < -extent ? least : greatest)} is outside an axis of extent {extent}.");
        return least < 0 ? where(wide < 0, wide + extent, wide) : wide;
    }
}
