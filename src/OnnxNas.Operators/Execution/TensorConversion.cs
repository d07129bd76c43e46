using System.Runtime.InteropServices;
using OnnxNas.Ir;
using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>Constants to torch tensors and back.</summary>
public static class TensorConversion
{
    // Libtorch's own numbers of types that TorchSharp has no names for.
    private const ScalarType UInt16 = (ScalarType)27;
    private const ScalarType UInt32 = (ScalarType)28;
    private const ScalarType UInt64 = (ScalarType)29;

    /// <summary>The torch type that carries an ONNX element type.</summary>
    /// <exception cref="UnsupportedOperatorException">Torch has none here.</exception>
    public static ScalarType ToTorch(this ElementType type) => type switch
    {
        ElementType.Float32 => ScalarType.Float32,
        ElementType.Float64 => ScalarType.Float64,
        ElementType.Float16 => ScalarType.Float16,
        ElementType.BFloat16 => ScalarType.BFloat16,
        ElementType.Int8 => ScalarType.Int8,
        ElementType.UInt8 => ScalarType.Byte,
        ElementType.Int16 => ScalarType.Int16,
        ElementType.Int32 => ScalarType.Int32,
        ElementType.Int64 => ScalarType.Int64,
        ElementType.Bool => ScalarType.Bool,
        ElementType.UInt16 => UInt16,
        ElementType.UInt32 => UInt32,
        ElementType.UInt64 => UInt64,
        _ => throw new UnsupportedOperatorException($"Element type {type} is not supported in execution; cast it to float32, int32 or int64."),
    };

    /// <summary>The ONNX element type a torch tensor carries.</summary>
    public static ElementType ToElementType(this ScalarType type) => type switch
    {
        ScalarType.Float32 => ElementType.Float32,
        ScalarType.Float64 => ElementType.Float64,
        ScalarType.Float16 => ElementType.Float16,
        ScalarType.BFloat16 => ElementType.BFloat16,
        ScalarType.Int8 => ElementType.Int8,
        ScalarType.Byte => ElementType.UInt8,
        ScalarType.Int16 => ElementType.Int16,
        ScalarType.Int32 => ElementType.Int32,
        ScalarType.Int64 => ElementType.Int64,
        ScalarType.Bool => ElementType.Bool,
        UInt16 => ElementType.UInt16,
        UInt32 => ElementType.UInt32,
        UInt64 => ElementType.UInt64,
        _ => throw new UnsupportedOperatorException($"Torch type {type} has no ONNX element type here."),
    };

    /// <summary>A new torch tensor with the constant's elements.</summary>
    /// <exception cref="UnsupportedOperatorException">The element type cannot be executed.</exception>
    public static Tensor ToTorch(this TensorData data, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        var type = data.Type.ToTorch();
        var tensor = empty(data.Dims.ToArray(), type, device: CPU);
        if (data.ElementCount > 0)
            data.Bytes.Span.CopyTo(tensor.bytes);
        if (device is null || device.type == DeviceType.CPU)
            return tensor;
        using (tensor)
            return tensor.to(device);
    }

    /// <summary>The elements of a torch tensor as a constant.</summary>
    public static TensorData ToTensorData(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        var local = tensor.detach().cpu().contiguous();
        var type = local.dtype.ToElementType();
        return TensorData.FromBytes(type, local.shape, local.numel() == 0 ? ReadOnlyMemory<byte>.Empty : local.bytes.ToArray());
    }

    /// <summary>The elements of an integer or bool tensor, for shapes, axes and the like.</summary>
    public static long[] ToInt64s(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        var local = tensor.detach().cpu().to(ScalarType.Int64).contiguous();
        return local.numel() == 0 ? [] : MemoryMarshal.Cast<byte, long>(local.bytes).ToArray();
    }
}
