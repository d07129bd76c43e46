using System.Globalization;

namespace OnnxNas.Fuzz.Running;

/// <summary>Resident memory of a process, and the most it has been: as Linux tells them.</summary>
internal static class ResidentMemory
{
    private const string ResetPeak = "5";
    private const int Kibi = 1024;

    public static long Now(string process = "self") => Read(process, "VmRSS:");

    public static long Peak(string process = "self") => Read(process, "VmHWM:");

    /// <summary>The peak counts from now on.</summary>
    public static void Reset() => File.WriteAllText("/proc/self/clear_refs", ResetPeak);

    private static long Read(string process, string field)
    {
        foreach (var line in File.ReadLines($"/proc/{process}/status"))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
                return Kibi * long.Parse(line[field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
