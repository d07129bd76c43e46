using System.Globalization;

namespace OnnxNas.Operators.Execution;

/// <summary>How much memory this process may still take.</summary>
public static class MachineMemory
{
    private const double Share = 0.8;

    /// <summary>Most of what is free now: of the machine, and of the container that the process runs in.</summary>
    public static long MostOfFree() => (long)(Share * Math.Min(FreeOfMachine(), FreeOfContainer()));

    private static long FreeOfMachine()
    {
        var known = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        const string Field = "MemAvailable:";
        foreach (var line in Lines("/proc/meminfo"))
        {
            if (line.StartsWith(Field, StringComparison.Ordinal) && long.TryParse(line[Field.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var kilobytes))
                return Math.Min(known, kilobytes * 1024);
        }

        return known;
    }

    private static long FreeOfContainer()
    {
        foreach (var (limit, used) in new[] { ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"), ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes") })
        {
            if (Number(limit) is { } most && Number(used) is { } now)
                return Math.Max(0, most - now);
        }

        return long.MaxValue;
    }

    private static long? Number(string path) =>
        Lines(path) is [var text, ..] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Lines(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
