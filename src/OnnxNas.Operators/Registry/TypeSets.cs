using OnnxNas.Ir;

namespace OnnxNas.Operators;

/// <summary>Element types that many operators take alike.</summary>
public static class TypeSets
{
    /// <summary>Floating-point numbers of 16, 32 and 64 bits.</summary>
    public static IReadOnlyList<ElementType> Floats { get; } = [ElementType.Float16, ElementType.BFloat16, ElementType.Float32, ElementType.Float64];

    /// <summary>Signed integers.</summary>
    public static IReadOnlyList<ElementType> Signed { get; } = [ElementType.Int8, ElementType.Int16, ElementType.Int32, ElementType.Int64];

    /// <summary>Unsigned integers.</summary>
    public static IReadOnlyList<ElementType> Unsigned { get; } = [ElementType.UInt8, ElementType.UInt16, ElementType.UInt32, ElementType.UInt64];

    /// <summary>Integers.</summary>
    public static IReadOnlyList<ElementType> Integers { get; } = [.. Signed, .. Unsigned];

    /// <summary>Integers of 8 bits.</summary>
    public static IReadOnlyList<ElementType> Bytes { get; } = [ElementType.Int8, ElementType.UInt8];

    /// <summary>Integers of 32 and 64 bits.</summary>
    public static IReadOnlyList<ElementType> WideIntegers { get; } = [ElementType.Int32, ElementType.Int64, ElementType.UInt32, ElementType.UInt64];

    /// <summary>Truth values.</summary>
    public static IReadOnlyList<ElementType> Truth { get; } = [ElementType.Bool];

    /// <summary>Floating-point numbers and integers.</summary>
    public static IReadOnlyList<ElementType> Numbers { get; } = [.. Floats, .. Integers];

    /// <summary>All that is executed.</summary>
    public static IReadOnlyList<ElementType> All { get; } = [.. Numbers, .. Truth];
}
