using OnnxNas.Ir;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Bytes of the file: flipped, inserted, deleted, copied elsewhere, cut off, doubled.</summary>
internal static class ByteMutations
{
    private const string Kind = "bytes";
    private const int LongestChunk = 64;

    public static IReadOnlyList<Mutation> All { get; } =
    [
        Of("flip bits", (bytes, random) =>
        {
            var copy = bytes.ToArray();
            for (var i = random.NextInt(8); i >= 0; i--)
                copy[random.NextInt(copy.Length)] ^= (byte)(1 << random.NextInt(8));
            return copy;
        }),
        Of("set bytes", (bytes, random) =>
        {
            var copy = bytes.ToArray();
            byte[] values = [0, 1, 0x7F, 0x80, 0xFF];
            for (var i = random.NextInt(4); i >= 0; i--)
                copy[random.NextInt(copy.Length)] = values[random.NextInt(values.Length)];
            return copy;
        }),
        Of("insert", (bytes, random) =>
        {
            var at = random.NextInt(bytes.Length + 1);
            var inserted = new byte[1 + random.NextInt(8)];
            for (var i = 0; i < inserted.Length; i++)
                inserted[i] = (byte)random.NextInt(256);
            return [.. bytes[..at], .. inserted, .. bytes[at..]];
        }),
        Of("delete", (bytes, random) =>
        {
            var (start, length) = Chunk(bytes, random);
            return [.. bytes[..start], .. bytes[(start + length)..]];
        }),
        Of("splice", (bytes, random) =>
        {
            var ((start, length), copy) = (Chunk(bytes, random), bytes.ToArray());
            bytes.AsSpan(start, length).CopyTo(copy.AsSpan(random.NextInt(bytes.Length - length + 1)));
            return copy;
        }),
        Of("truncate", (bytes, random) => bytes[..random.NextInt(bytes.Length)]),
        Of("double a chunk", (bytes, random) =>
        {
            var (start, length) = Chunk(bytes, random);
            return [.. bytes[..(start + length)], .. bytes[start..]];
        }),
    ];

    private static Mutation Of(string name, Func<byte[], SeededRandom, byte[]> change) =>
        new(Kind, name, (bytes, random) => bytes.Length == 0 ? null : change(bytes, random));

    private static (int Start, int Length) Chunk(byte[] bytes, SeededRandom random)
    {
        var length = 1 + random.NextInt(Math.Min(LongestChunk, bytes.Length));
        return (random.NextInt(bytes.Length - length + 1), length);
    }
}
