using OnnxNas.Ir;

namespace OnnxNas.Benchmarks.Demo;

/// <summary>
/// The demo's images, <c>x</c> uint8 [6000,1,16,16], and classes, <c>label</c> uint8 [6000]: every class as often as any other. A shape
/// somewhere, turned and scaled at will, lighter or darker than a slanted ground, with strokes that belong to no class, and noise.
/// Drawn in whole numbers alone, so that the bytes are the same on every machine.
/// </summary>
internal static class ShapesData
{
    private const int Count = 6000;
    private const int Seed = 1;
    private const int Side = 16;

    // A pixel is 64 units wide, and covered as far as 4 x 4 points in it are.
    private const int Pixel = 64;
    private const int Points = 4;
    private const int One = 1024;

    /// <summary>The arrays in the order of the file.</summary>
    public static IEnumerable<KeyValuePair<string, TensorData>> Arrays()
    {
        var pixels = new byte[Count * Side * Side];
        var labels = new byte[Count];
        for (var i = 0; i < Count; i++)
        {
            labels[i] = (byte)(i % ShapeKind.All.Count);
            Draw(ShapeKind.All[labels[i]], new SeededRandom(Seed, i), pixels.AsSpan(i * Side * Side, Side * Side));
        }

        return
        [
            new("x", TensorData.Create<byte>([Count, 1, Side, Side], pixels)),
            new("label", TensorData.Create<byte>([Count], labels)),
        ];
    }

    private static void Draw(ShapeKind kind, SeededRandom random, Span<byte> image)
    {
        var contrast = Between(random, 48, 110) * (random.NextInt(2) == 0 ? 1 : -1);
        var (ground, slantX, slantY) = (Between(random, 96, 160), Between(random, -3, 3), Between(random, -3, 3));
        var grain = Between(random, 3, 14);
        var strokes = Enumerable.Range(0, random.NextInt(3)).Select(_ => Stroke(random)).ToArray();
        var radius = Between(random, 4 * Pixel, 7 * Pixel);
        var turned = Place(random, kind.Covers, radius, Math.Max(0, Side * Pixel / 2 - radius));
        for (var row = 0; row < Side; row++)
        {
            for (var column = 0; column < Side; column++)
            {
                var value = ground + slantX * (column - Side / 2) + slantY * (row - Side / 2);
                foreach (var (covers, tone) in strokes)
                    value += tone * Coverage(covers, column, row) / (Points * Points);
                var shape = Coverage(turned, column, row);
                value += (ground + contrast - value) * shape / (Points * Points);

                // The sum of four even draws is close to normal.
                for (var k = 0; k < 4; k++)
                    value += Between(random, -grain, grain);
                image[row * Side + column] = (byte)Math.Clamp(value, 0, 255);
            }
        }
    }

    // A short line, lighter or darker than the ground.
    private static (Func<int, int, bool> Covers, int Tone) Stroke(SeededRandom random)
    {
        var tone = Between(random, 24, 64) * (random.NextInt(2) == 0 ? 1 : -1);
        var length = Between(random, Pixel, 5 * Pixel / 2);
        return (Place(random, (x, y) => Math.Abs(x) <= One && Math.Abs(y) * length <= One * Pixel / 2, length, Side * Pixel / 2), tone);
    }

    // Turns a shape by a random angle and moves its middle by up to `freedom` units off the image's.
    private static Func<int, int, bool> Place(SeededRandom random, Func<int, int, bool> covers, int radius, int freedom)
    {
        var (middleX, middleY) = (Side * Pixel / 2 + Between(random, -freedom, freedom), Side * Pixel / 2 + Between(random, -freedom, freedom));
        var (cos, sin) = Direction(random);
        return (x, y) =>
        {
            var (dx, dy) = (x - middleX, y - middleY);
            return covers((dx * cos + dy * sin) / radius, (dy * cos - dx * sin) / radius);
        };
    }

    // A random direction as (cos, sin) times 1024.
    private static (int Cos, int Sin) Direction(SeededRandom random)
    {
        while (true)
        {
            var (x, y) = (Between(random, -One, One), Between(random, -One, One));
            var square = x * x + y * y;
            if (square is < One * One / 16 or > One * One)
                continue;
            var norm = Root(square);
            return (x * One / norm, y * One / norm);
        }
    }

    private static int Coverage(Func<int, int, bool> covers, int column, int row)
    {
        var covered = 0;
        for (var i = 0; i < Points * Points; i++)
        {
            var x = column * Pixel + Pixel * (2 * (i % Points) + 1) / (2 * Points);
            var y = row * Pixel + Pixel * (2 * (i / Points) + 1) / (2 * Points);
            if (covers(x, y))
                covered++;
        }

        return covered;
    }

    // The whole part of a square root, by Newton's method.
    private static int Root(int square)
    {
        var root = square;
        for (var next = (root + 1) / 2; next < root; next = (root + square / root) / 2)
            root = next;
        return root;
    }

    private static int Between(SeededRandom random, int least, int most) => least + random.NextInt(most - least + 1);
}
