using System.Globalization;

namespace OnnxNas.Evaluation.Isolation;

/// <summary>What ended a process, in words.</summary>
internal static class ProcessEnd
{
    // A process that a signal ended has the exit code 128 + signal.
    private const int FirstSignal = 128;
    private const int LastSignal = FirstSignal + 64;

    /// <summary>The signal's name on Linux and macOS, the status on Windows, or the exit code.</summary>
    public static string Describe(int exitCode) => OperatingSystem.IsWindows()
        ? string.Create(CultureInfo.InvariantCulture, $"exit code 0x{exitCode:X8}")
        : exitCode is > FirstSignal and <= LastSignal ? Signal(exitCode - FirstSignal) : string.Create(CultureInfo.InvariantCulture, $"exit code {exitCode}");

    private static string Signal(int number) => number switch
    {
        2 => "SIGINT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 when OperatingSystem.IsLinux() => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 when OperatingSystem.IsMacOS() => "SIGBUS",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => string.Create(CultureInfo.InvariantCulture, $"signal {number}"),
    };
}
