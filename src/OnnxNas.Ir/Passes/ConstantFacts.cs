using System.Numerics;
using System.Runtime.InteropServices;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes;

/// <summary>What can be said of values that do not depend on the caller.</summary>
internal static class ConstantFacts
{
    /// <summary>The tensor of an initializer that no caller can replace, or of a Constant node; else null.</summary>
    public static TensorData? Constant(Value value) =>
        value.Producer is { } maker ? ConstantNode.Read(maker) : value is { Initializer: { } data, IsInput: false } ? data : null;

    /// <summary>
    /// Whether every element is the number <paramref name="wanted"/>, in a constant or the result of ConstantOfShape. False for no
    /// elements and, with <paramref name="keepWeights"/>, for a constant that trains or, where that has not been decided, <see cref="MayBeWeight"/>.
    /// </summary>
    public static bool IsFilledWith(this Value value, int wanted, bool keepWeights)
    {
        if (value.Producer is { OpType: "ConstantOfShape", Domain: "" } maker)
            return maker.Attribute("value") is { } fill ? AllAre(fill.AsTensor(), wanted) : wanted == 0;
        return (value.Producer is null ? value.Initializer : ConstantNode.Read(value.Producer)) is { } data
            && !(keepWeights && (value.Trains ?? MayBeWeight(data))) && AllAre(data, wanted) && Constant(value) is not null;
    }

    /// <summary>Whether a trainer may change the tensor: floats, and more than one.</summary>
    public static bool MayBeWeight(TensorData data) => data.Type.IsFloatingPoint() && data.ElementCount > 1;

    /// <summary>Whether all elements are one number, bit by bit, as biases and scales are at initialisation.</summary>
    public static bool IsOneNumber(TensorData data)
    {
        var bytes = data.Bytes.Span;
        var width = data.Type.BitWidth() / 8;
        return width > 0 && bytes.Length >= width && bytes[width..].SequenceEqual(bytes[..^width]);
    }

    /// <summary>Whether no element is infinite or NaN.</summary>
    public static bool IsFinite(TensorData data) => data.Type switch
    {
        ElementType.Float32 => AllFinite<float>(data),
        ElementType.Float64 => AllFinite<double>(data),
        ElementType.Float16 => AllFinite<Half>(data),
        _ => data.Type.IsInteger(),
    };

    private static bool AllAre(TensorData data, int wanted) => data.ElementCount > 0 && data.Type switch
    {
        ElementType.Float32 => AllAre<float>(data, wanted),
        ElementType.Float64 => AllAre<double>(data, wanted),
        ElementType.Float16 => AllAre<Half>(data, wanted),
        ElementType.Int8 => AllAre<sbyte>(data, wanted),
        ElementType.UInt8 => AllAre<byte>(data, wanted),
        ElementType.Int16 => AllAre<short>(data, wanted),
        ElementType.UInt16 => AllAre<ushort>(data, wanted),
        ElementType.Int32 => AllAre<int>(data, wanted),
        ElementType.UInt32 => AllAre<uint>(data, wanted),
        ElementType.Int64 => AllAre<long>(data, wanted),
        ElementType.UInt64 => AllAre<ulong>(data, wanted),
        _ => false,
    };

    // By value, so that -0.0 is a zero.
    private static bool AllAre<T>(TensorData data, int wanted) where T : unmanaged, INumber<T>
    {
        var number = T.CreateChecked(wanted);
        foreach (var element in Elements<T>(data))
        {
            if (element != number)
                return false;
        }

        return true;
    }

    private static bool AllFinite<T>(TensorData data) where T : unmanaged, INumber<T>
    {
        foreach (var element in Elements<T>(data))
        {
            if (!T.IsFinite(element))
                return false;
        }

        return true;
    }

    private static ReadOnlySpan<T> Elements<T>(TensorData data) where T : unmanaged => MemoryMarshal.Cast<byte, T>(data.Bytes.Span);
}
