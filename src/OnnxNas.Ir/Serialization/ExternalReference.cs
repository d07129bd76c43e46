using System.Globalization;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>What a tensor says of its external payload: a path below the model's folder, and a range of that file.</summary>
internal sealed record ExternalReference(string Location, long Offset, long? Length)
{
    public static ExternalReference Parse(TensorProto proto, string where)
    {
        var entries = new Dictionary<string, string>();
        foreach (var entry in proto.ExternalData)
        {
            if (!entries.TryAdd(entry.Key, entry.Value))
                throw new ModelFormatException($"{where}: its external data gives '{entry.Key}' twice. Keep one.");
        }

        if (!entries.TryGetValue("location", out var location))
            throw new ModelFormatException($"{where} is external, but gives no location.");
        RequireInside(location, where);
        return new(location, Number(entries, "offset", where) ?? 0, Number(entries, "length", where));
    }

    private static long? Number(Dictionary<string, string> entries, string key, string where)
    {
        if (!entries.TryGetValue(key, out var text))
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ModelFormatException($"{where}: the {key} of its external data is '{text}', where a number from 0 up is expected.");
    }

    // Judged by its text, the same on every system: a file may be read elsewhere than it was made. Windows drops dots and blanks at the end.
    private static void RequireInside(string location, string where)
    {
        var parts = location.Split('/');
        var bad = location.IndexOfAny(['\0', '\\', ':']) >= 0 || parts.Any(part => part.Length == 0 || part[^1] is '.' or ' ');
        if (bad || parts.Any(IsDevice))
            throw new ModelFormatException($"{where}: its external data lies at '{location}'. Only plain relative paths below the model's folder are read.");
    }

    // Names that are devices in any folder on Windows.
    private static bool IsDevice(string part)
    {
        var stem = part.Split('.')[0].TrimEnd().ToUpperInvariant();
        return stem is "CON" or "PRN" or "AUX" or "NUL" || stem.Length == 4 && stem[..3] is "COM" or "LPT" && char.IsAsciiDigit(stem[3]);
    }
}
