using System.Numerics;

namespace OnnxNas.Ir;

/// <summary>
/// A random generator whose numbers depend on the seed alone: the same on every machine and every .NET version.
/// xoshiro256** (Blackman and Vigna 2018), its state filled by SplitMix64. Not for secrets.
/// </summary>
public sealed class SeededRandom
{
    private readonly ulong[] state = new ulong[4];

    /// <summary>
    /// A generator for a seed. Each further number (an epoch, the index of a tensor) selects an independent stream of that seed,
    /// so that what is drawn for one purpose never shifts what is drawn for another.
    /// </summary>
    public SeededRandom(long seed, params ReadOnlySpan<long> stream)
    {
        var key = (ulong)seed;
        foreach (var part in stream)
            key = SplitMix(ref key) ^ (ulong)part;
        for (var i = 0; i < state.Length; i++)
            state[i] = SplitMix(ref key);
    }

    /// <summary>A generator that goes on where another's <see cref="State"/> was read.</summary>
    /// <exception cref="ArgumentException">Not four numbers, or all of them 0.</exception>
    public static SeededRandom FromState(ReadOnlySpan<ulong> state)
    {
        if (state.Length != 4 || !state.ContainsAnyExcept(0UL))
            throw new ArgumentException("A state is four numbers that are not all 0.", nameof(state));
        var random = new SeededRandom(0);
        state.CopyTo(random.state);
        return random;
    }

    /// <summary>All there is to know about the generator: four numbers.</summary>
    public IReadOnlyList<ulong> State => [.. state];

    /// <summary>64 random bits.</summary>
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(state[1] * 5, 7) * 9;
        var t = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= t;
        state[3] = BitOperations.RotateLeft(state[3], 45);
        return result;
    }

    /// <summary>A whole number in 0 … <paramref name="bound"/> − 1, each equally likely.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        // The high word of a product spreads 2^64 numbers over the bound; the low word tells the few that make it uneven.
        var limit = (0UL - (ulong)bound) % (ulong)bound;
        while (true)
        {
            var high = Math.BigMul(NextUInt64(), (ulong)bound, out var low);
            if (low >= limit)
                return (int)high;
        }
    }

    /// <summary>A number in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number of the standard normal distribution (Marsaglia's polar method).</summary>
    public double NextGaussian()
    {
        while (true)
        {
            var u = 2 * NextDouble() - 1;
            var v = 2 * NextDouble() - 1;
            var s = u * u + v * v;
            if (s is > 0 and < 1)
                return u * Math.Sqrt(-2 * Log(s) / s);
        }
    }

    /// <summary>Puts the items in random order (Fisher-Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong SplitMix(ref ulong key)
    {
        key += 0x9E3779B97F4A7C15;
        var z = key;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    // Math.Log is the C library's, whose last bit differs between systems. This uses only operations IEEE 754 rounds exactly:
    // ln(m·2^e) = e·ln 2 + 2·atanh((m-1)/(m+1)), with m in [0.7, 1.42) so that 12 terms reach double precision.
    private static double Log(double x)
    {
        var exponent = Math.ILogB(x);
        var m = Math.ScaleB(x, -exponent);
        if (m > 1.4142135623730951)
        {
            m /= 2;
            exponent++;
        }

        var z = (m - 1) / (m + 1);
        var square = z * z;
        var sum = 0.0;
        for (var k = 23; k >= 1; k -= 2)
            sum = sum * square + 1.0 / k;
        return exponent * 0.6931471805599453 + 2 * z * sum;
    }
}
