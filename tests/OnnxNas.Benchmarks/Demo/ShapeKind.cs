namespace OnnxNas.Benchmarks.Demo;

/// <summary>
/// One class of the demo's images. <see cref="Covers"/> tells whether a point lies inside the upright shape around the origin, whose
/// radius is 1024. All in whole numbers.
/// </summary>
internal sealed record ShapeKind(string Name, Func<int, int, bool> Covers)
{
    /// <summary>The classes; a label is an index of this list.</summary>
    public static IReadOnlyList<ShapeKind> All { get; } =
    [
        new("disc", (x, y) => Within(x, y, 880)),
        new("ring", (x, y) => Within(x, y, 960) && !Within(x, y, 560)),
        new("crescent", (x, y) => Within(x, y, 980) && !Within(x - 480, y, 760)),
        new("square", (x, y) => Box(x, y) <= 760),
        new("frame", (x, y) => Box(x, y) is > 470 and <= 820),
        new("triangle", (x, y) => y >= -512 && 1000 * y + 1732 * Math.Abs(x) <= 1024 * 1000),
        new("cross", (x, y) => Math.Min(Math.Abs(x), Math.Abs(y)) <= 230 && Box(x, y) <= 960),
        new("star", (x, y) => 9 * Math.Min(Math.Abs(x), Math.Abs(y)) + 4 * Box(x, y) <= 4 * 1024),
        new("bars", (x, y) => Math.Abs(x) is >= 270 and <= 720 && Math.Abs(y) <= 860),
        new("corner", (x, y) => Box(x, y) <= 820 && (x <= -330 || y <= -330)),
    ];

    private static bool Within(int x, int y, int radius) => x * x + y * y <= radius * radius;

    private static int Box(int x, int y) => Math.Max(Math.Abs(x), Math.Abs(y));
}
