using System.Collections.Concurrent;
using OnnxNas.Operators.Native;
using TorchSharp;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// Numbers for libtorch that outlive the calls they are passed to.
/// <para>
/// A TorchSharp <see cref="Scalar"/> owns a native number that its finalizer frees. TorchSharp reads the number's address and calls libtorch
/// without keeping the object alive: once the address is read, nothing refers to a temporary one any more, and a garbage collection during the
/// call frees what libtorch is about to read. Then the call fails, or computes with garbage. Such temporaries come out of every conversion of a
/// number (<c>x * 0.5</c>, <c>x &gt; 0</c>) and hide in TorchSharp's own code (<c>a + b</c> makes an alpha of 1; so do <c>square()</c>,
/// <c>ToInt64()</c>, <c>functional.elu</c> and all of <c>torch.optim</c>).
/// </para>
/// <para>
/// So operators and trainers convert no numbers themselves. Constants, attributes and extents come from <see cref="Of(double)"/> and are kept
/// for good; <see cref="TensorArithmetic"/> writes sums and products with them. A number that is another one in each step, as a learning rate is,
/// would pile up: it comes from <see cref="Temporary(double)"/> and is held by <c>using</c> past its last call. A test reads the compiled
/// assemblies and fails on any other way.
/// </para>
/// </summary>
public static class Scalars
{
    // By bits: 0.0 and -0.0 are equal, but not the same number.
    private static readonly ConcurrentDictionary<long, Scalar> Reals = [];
    private static readonly ConcurrentDictionary<long, Scalar> Integers = [];

    /// <summary>The integer 0, which leaves the element type of any tensor as it is.</summary>
    public static Scalar Zero => Of(0L);

    /// <summary>The integer 1.</summary>
    public static Scalar One => Of(1L);

    /// <summary>The floating-point number, kept for good. An integer tensor combined with it becomes float32.</summary>
    public static Scalar Of(double value) => Reals.GetOrAdd(BitConverter.DoubleToInt64Bits(value), static bits => Temporary(BitConverter.Int64BitsToDouble(bits)));

    /// <summary>The integer, kept for good. Combined with it, a tensor keeps its element type.</summary>
    public static Scalar Of(long value) => Integers.GetOrAdd(value, static integer => Temporary(integer));

    /// <summary>A number that changes from call to call. Put it into a <c>using</c> that ends after the last call it is passed to.</summary>
    public static Scalar Temporary(double value)
    {
        TorchRuntime.EnsureLoaded();
        return value;
    }

    /// <inheritdoc cref="Temporary(double)"/>
    public static Scalar Temporary(long value)
    {
        TorchRuntime.EnsureLoaded();
        return value;
    }
}
