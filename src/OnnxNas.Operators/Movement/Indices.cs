using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
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
        var (least, greatest) = (wide.min().item<long>(), wide.max().item<long>());
        if (least < -extent || greatest >= extent)
            throw error($"index {(least < -extent ? least : greatest)} is outside an axis of extent {extent}.");
        return least < 0 ? where(wide < Scalars.Zero, wide.Plus(extent), wide) : wide;
    }

    /// <summary>Places <c>[..., k]</c> on k axes as row-major numbers, in one vector.</summary>
    public static Tensor Linear(Tensor places, long[] extents, Func<string, ShapeInferenceException> error)
    {
        var result = zeros([.. places.shape[..^1]], ScalarType.Int64, device: places.device);
        for (var axis = 0; axis < extents.Length; axis++)
            result = result.Times(extents[axis]).Plus(Positive(places.select(-1, axis), extents[axis], error));
        return result.reshape(-1);
    }
}
