using System.Text;

namespace OnnxNas.Cli;

/// <summary>
/// Standard error as a command sees it. From the first line that cannot be written (the disk is full, the terminal is gone, the stream is closed) it is silent: progress
/// that nobody can read must not cost a search.
/// </summary>
internal sealed class ProgressWriter(TextWriter inner) : TextWriter
{
    private bool isSilent;

    /// <summary>Whether people watch it as it is written.</summary>
    public bool IsTerminal { get; } = ReferenceEquals(inner, Console.Error) && !Console.IsErrorRedirected;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (isSilent)
            return;
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
        {
            isSilent = true;
        }
    }
}
