namespace OnnxNas.Fuzz.Running;

/// <summary>What one command may take.</summary>
internal static class Limits
{
    /// <summary>The longest time.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(5);

    /// <summary>The longest time where a process has to start first.</summary>
    public static readonly TimeSpan TimeWithStart = TimeSpan.FromSeconds(30);

    private const long Allowance = 256L << 20;

    /// <summary>By how much resident memory may grow over a file of this size.</summary>
    public static long Growth(long fileSize) => 2 * fileSize + Allowance;
}
