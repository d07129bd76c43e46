using System.Globalization;
using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>The outcome of a comparison. <paramref name="MaxAbsDiff"/> is infinite where values cannot be subtracted (type, shape, NaN or infinity on one side).</summary>
public sealed record ParityResult(bool Passed, double MaxAbsDiff, string Message);

/// <summary>
/// Whether two tensors agree: |a − b| ≤ absolute + relative·|b| for every element, where b is the expected one. NaN agrees with NaN,
/// infinity with the same infinity. Integers and bools are exact apart from the absolute tolerance: a relative one would let indices differ.
/// </summary>
public static class Parity
{
    /// <summary>The tolerance of the parity gate for float32: max |a − b| ≤ 1e-4·(1 + |b|).</summary>
    public const double Gate = 1e-4;

    /// <summary>Compares two tensors. The message names the worst element and both its values.</summary>
    public static ParityResult Compare(TensorData actual, TensorData expected, double absolute = Gate, double relative = Gate)
    {
        ArgumentNullException.ThrowIfNull(actual);
        ArgumentNullException.ThrowIfNull(expected);
        if (actual.Type != expected.Type || !actual.Dims.SequenceEqual(expected.Dims))
            return new(false, double.PositiveInfinity, $"got {actual}, expected {expected}");
        return expected.Type switch
        {
            ElementType.String => Exact(expected, i => actual.Strings[i].Span.SequenceEqual(expected.Strings[i].Span)),
            ElementType.Complex64 => Complex(Widen(actual), Widen(expected), expected, absolute, relative),
            ElementType.Complex128 => Complex(Cast<double>(actual), Cast<double>(expected), expected, absolute, relative),
            _ when expected.Type.IsFloatingPoint() => Real(Numbers(actual), Numbers(expected), expected, absolute, relative),
            _ when expected.Type == ElementType.UInt64 => Integer(Cast<ulong>(actual), Cast<ulong>(expected), expected, absolute),
            _ when expected.Type.IsInteger() || expected.Type == ElementType.Bool => Integer(actual.ToInt64s(), expected.ToInt64s(), expected, absolute),
            _ => Packed(actual, expected),
        };
    }

    private static ParityResult Real(Func<int, double> a, Func<int, double> b, TensorData like, double absolute, double relative) => Judge(
        like,
        i => a(i) is var x && b(i) is var y && x.Equals(y) ? 0 : Math.Abs(a(i) - b(i)),
        i => absolute + relative * Math.Abs(b(i)),
        i => (Text(a(i)), Text(b(i))));

    private static ParityResult Complex(double[] a, double[] b, TensorData like, double absolute, double relative) => Judge(
        like,
        i => Enumerable.Range(2 * i, 2).All(k => a[k].Equals(b[k])) ? 0 : double.Hypot(a[2 * i] - b[2 * i], a[2 * i + 1] - b[2 * i + 1]),
        i => absolute + relative * double.Hypot(b[2 * i], b[2 * i + 1]),
        i => ($"{Text(a[2 * i])}+{Text(a[2 * i + 1])}i", $"{Text(b[2 * i])}+{Text(b[2 * i + 1])}i"));

    private static ParityResult Integer<T>(T[] a, T[] b, TensorData like, double absolute) where T : IConvertible => Judge(
        like,
        i => (double)Math.Abs(a[i].ToDecimal(null) - b[i].ToDecimal(null)),
        _ => absolute,
        i => ($"{a[i]}", $"{b[i]}"));

    private static ParityResult Exact(TensorData like, Func<int, bool> equal) => Judge(
        like, i => equal(i) ? 0 : double.PositiveInfinity, _ => 0, _ => ("another value", "the given one"));

    // 4-bit and 8-bit formats have no arithmetic here: they agree when every byte does.
    private static ParityResult Packed(TensorData actual, TensorData expected) =>
        actual.Bytes.Span.CommonPrefixLength(expected.Bytes.Span) is var at && at == expected.Bytes.Length
            ? new(true, 0, "all bytes equal")
            : new(false, double.PositiveInfinity, $"{expected.Type} tensors differ first at byte {at}: got 0x{actual.Bytes.Span[at]:X2}, expected 0x{expected.Bytes.Span[at]:X2}");

    private static ParityResult Judge(TensorData like, Func<int, double> difference, Func<int, double> tolerance, Func<int, (string Actual, string Expected)> texts)
    {
        if (like.ElementCount == 0)
            return new(true, 0, "no elements");
        var (largest, worst, excess, passed) = (0.0, 0, double.NegativeInfinity, true);
        for (var i = 0; i < like.ElementCount; i++)
        {
            var d = difference(i);
            // NaN: one side is NaN, or a tolerance times infinity. Neither is agreement.
            if (double.IsNaN(d))
                d = double.PositiveInfinity;
            var allowed = tolerance(i);
            var ok = d == 0 || double.IsFinite(d) && d <= allowed;
            var over = ok || double.IsFinite(allowed) ? d - allowed : double.PositiveInfinity;
            passed &= ok;
            largest = Math.Max(largest, d);
            if (over > excess)
                (excess, worst) = (over, i);
        }

        var (actual, expected) = texts(worst);
        return new(passed, largest, $"largest difference {Text(largest)}; worst at [{Position(worst, like.Dims)}]: got {actual}, expected {expected}");
    }

    private static string Position(long index, IReadOnlyList<long> dims)
    {
        var position = new long[dims.Count];
        for (var axis = dims.Count - 1; axis >= 0; axis--)
            (index, position[axis]) = Math.DivRem(index, dims[axis]);
        return string.Join(',', position);
    }

    private static string Text(double value) => value.ToString("G9", CultureInfo.InvariantCulture);

    // The elements in place: what is compared may be most of the memory that there is.
    private static Func<int, double> Numbers(TensorData tensor)
    {
        var bytes = tensor.Bytes;
        return tensor.Type switch
        {
            ElementType.Float32 => i => MemoryMarshal.Read<float>(bytes.Span[(sizeof(float) * i)..]),
            ElementType.Float64 => i => MemoryMarshal.Read<double>(bytes.Span[(sizeof(double) * i)..]),
            ElementType.Float16 => i => (double)MemoryMarshal.Read<Half>(bytes.Span[(sizeof(ushort) * i)..]),
            _ => i => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Read<ushort>(bytes.Span[(sizeof(ushort) * i)..]) << 16),
        };
    }

    private static T[] Cast<T>(TensorData tensor) where T : unmanaged => MemoryMarshal.Cast<byte, T>(tensor.Bytes.Span).ToArray();

    private static double[] Widen(TensorData tensor) => Array.ConvertAll(Cast<float>(tensor), v => (double)v);
}
