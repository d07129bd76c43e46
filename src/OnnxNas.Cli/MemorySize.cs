using System.Globalization;
using OnnxNas.Ir;

namespace OnnxNas.Cli;

/// <summary>Amounts of memory as people write them.</summary>
internal static class MemorySize
{
    private const string Units = "KMGT";

    /// <summary>Reads <c>512M</c>, <c>2G</c>, <c>1.5G</c> or a number of bytes; null where it is not given.</summary>
    /// <exception cref="UsageException">It is no such amount.</exception>
    public static long? Parse(string? text)
    {
        if (text is null)
            return null;
        var digits = text.AsSpan().Trim();
        if (digits.EndsWith("iB", StringComparison.Ordinal))
            digits = digits[..^2];
        else if (digits.EndsWith("B", StringComparison.OrdinalIgnoreCase))
            digits = digits[..^1];
        var unit = digits.Length > 0 ? Units.IndexOf(char.ToUpperInvariant(digits[^1]), StringComparison.Ordinal) : -1;
        if (unit >= 0)
            digits = digits[..^1];
        var bytes = double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number * Math.Pow(1024, unit + 1) : 0;
        return bytes is >= 1 and < 1e18
            ? (long)bytes
            : throw new UsageException($"--memory {text} is no amount of memory. Write it as 512M, 2G or a number of bytes.");
    }
}
