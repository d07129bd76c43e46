using OnnxNas.Ir;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Numbers and strings that programs forget about.</summary>
internal static class Extremes
{
    private static readonly long[] Integers =
    [
        0, 1, -1, 2, -2, 3, 7, -7, 16, 127, 255, 256, 1000, 65_535, 65_536, 1_000_003, int.MaxValue, int.MinValue, (long)int.MaxValue + 1, uint.MaxValue, 1L << 32, 1L << 40,
        1L << 53, long.MaxValue, long.MinValue, long.MinValue + 1, long.MaxValue / 2, -65_536,
    ];

    private static readonly float[] Floats =
        [0, -0f, 1, -1, 0.5f, 1e-30f, 1e30f, -1e30f, float.MaxValue, float.MinValue, float.Epsilon, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 3e9f, 1e19f];

    private static readonly string[] Texts =
    [
        "", " ", "0", "-1", "x", "y", "N", "N*N+1", "N/0", "(N", "2147483648*N", "N-N", "a b\tc\n", "\0", "a\0b", "\u202Eevil", "\u001b[31mred", "[red]x[/]", "[", "{0}", "../../x", "/dev/zero",
        "C:\\x", "\ud83d\ude00", "\u0301\u0301\u0301", "org.onnxnas", "ai.onnx", "LayerChoice", "Identity", "sum", "concat", "SAME_UPPER", "NOTSET", "linear", "true", "null", "1e999", "\"quoted\"", "'", "%s%n",
    ];

    private static readonly int[] Lengths = [100, 5_000, 100_000];

    public static long Integer(SeededRandom random) => random.NextInt(4) == 0 ? random.NextInt(64) - 8 : Integers[random.NextInt(Integers.Length)];

    public static float Float(SeededRandom random) => Floats[random.NextInt(Floats.Length)];

    public static string Text(SeededRandom random) => random.NextInt(12) == 0
        ? string.Concat(Enumerable.Repeat(Texts[3 + random.NextInt(Texts.Length - 3)], Lengths[random.NextInt(Lengths.Length)] / 4))
        : Texts[random.NextInt(Texts.Length)];

    public static T Pick<T>(this SeededRandom random, IReadOnlyList<T> items) => items[random.NextInt(items.Count)];
}
