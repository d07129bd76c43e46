using System.Globalization;
using System.Numerics;

namespace OnnxNas.Search.Choices;

/// <summary>
/// How many ways there are to decide: a whole number, exact up to <see cref="MostDigits"/> digits, and known by its logarithm beyond. A small file can ask for
/// numbers that would take minutes to multiply.
/// </summary>
public sealed record SpaceSize
{
    /// <summary>The most digits of an exact number.</summary>
    public const int MostDigits = 10_000;

    // What a line for people has room for.
    private const int ShortText = 20;

    private SpaceSize(double log10, Func<BigInteger> exact)
    {
        Log10 = log10;
        Exact = log10 < MostDigits ? exact() : null;
    }

    /// <summary>The number, or null where it has more than <see cref="MostDigits"/> digits.</summary>
    public BigInteger? Exact { get; }

    /// <summary>Its decimal logarithm.</summary>
    public double Log10 { get; }

    /// <summary>All digits of an exact number, else <c>about 10^301029</c>.</summary>
    public string Digits => Exact?.ToString(CultureInfo.InvariantCulture) ?? string.Create(CultureInfo.InvariantCulture, $"about 10^{Math.Floor(Log10):0}");

    /// <summary>A number that is known.</summary>
    public static SpaceSize Of(BigInteger count) => new(BigInteger.Log10(count), () => count);

    /// <summary>The number of subsets of <paramref name="count"/> things but the empty one.</summary>
    public static SpaceSize Subsets(int count) => new(count * Math.Log10(2), () => BigInteger.Pow(2, count) - 1);

    /// <summary>The number of subsets of <paramref name="chosen"/> things out of <paramref name="count"/>.</summary>
    public static SpaceSize Subsets(int count, int chosen)
    {
        var (few, log10) = (Math.Min(chosen, count - chosen), 0.0);
        for (var i = 1; i <= few; i++)
            log10 += Math.Log10((double)(count - few + i) / i);
        return new(log10, () =>
        {
            var result = BigInteger.One;
            for (var i = 1; i <= few; i++)
                result = result * (count - few + i) / i;
            return result;
        });
    }

    /// <summary>The number of ways to decide both.</summary>
    public static SpaceSize operator *(SpaceSize a, SpaceSize b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new(a.Exact is null || b.Exact is null ? Math.Max(MostDigits, a.Log10 + b.Log10) : a.Log10 + b.Log10, () => a.Exact!.Value * b.Exact!.Value);
    }

    /// <summary>Whether there are no more than that.</summary>
    public bool IsAtMost(long count) => Exact is { } exact && exact <= count;

    /// <summary>For people: all digits where they are few, else <c>1.2e345</c>.</summary>
    public override string ToString()
    {
        if (Log10 < ShortText - 1)
            return Digits;
        var exponent = Math.Floor(Log10);
        var mantissa = Math.Round(Math.Pow(10, Log10 - exponent), 1);
        return string.Create(CultureInfo.InvariantCulture, $"{(mantissa < 10 ? mantissa : 1):0.0}e{(mantissa < 10 ? exponent : exponent + 1):0}");
    }
}
