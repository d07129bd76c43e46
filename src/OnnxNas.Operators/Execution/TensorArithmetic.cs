using TorchSharp;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// Arithmetic of tensors with tensors and with numbers, free of the temporaries that <see cref="Scalars"/> warns of. Where TorchSharp's own
/// operator makes none (a product, quotient or difference of two tensors), that one is used. Tensors broadcast; an integer leaves the element
/// type as it is. The numbers are kept for good: pass constants, attributes and extents.
/// </summary>
public static class TensorArithmetic
{
    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, Scalars.One);

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, double b) => a.add(Scalars.Of(b), Scalars.One);

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, long b) => a.add(Scalars.Of(b), Scalars.One);

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Scalar b) => a.add(b, Scalars.One);

    /// <summary>a - b.</summary>
    public static Tensor Minus(this Tensor a, double b) => a.sub(Scalars.Of(b));

    /// <summary>a - b.</summary>
    public static Tensor Minus(this Tensor a, long b) => a.sub(Scalars.Of(b));

    /// <summary>a * b.</summary>
    public static Tensor Times(this Tensor a, double b) => a.mul(Scalars.Of(b));

    /// <summary>a * b.</summary>
    public static Tensor Times(this Tensor a, long b) => a.mul(Scalars.Of(b));

    /// <summary>a / b; of integers, the exact quotient as float32.</summary>
    public static Tensor DividedBy(this Tensor a, long b) => a.div(Scalars.Of(b));

    /// <summary>a * a.</summary>
    public static Tensor Square(this Tensor a) => a * a;

    /// <summary>The int64 vector 0, 1, … count − 1.</summary>
    public static Tensor Arange(long count, Device device)
    {
        using var stop = Scalars.Temporary(count);
        return arange(Scalars.Zero, stop, Scalars.One, ScalarType.Int64, device);
    }
}
